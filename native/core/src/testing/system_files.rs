//! The three directories every volume starts with.

use crate::base::birth_time;
use crate::format::layout::{Anchor, Attributes, INO_ORPHANS, INO_PUBLIC_IDS, INO_ROOT};
use crate::format::slot::{Slot, SlotBytes};

/// Number and permissions (type and mode) of the directories, in the order they are placed.
pub(super) const SYSTEM_DIRECTORIES: [(u64, u32); 3] =
    [(INO_ROOT, 0o40755), (INO_ORPHANS, 0o40700), (INO_PUBLIC_IDS, 0o40700)];

/// The slot of an empty directory of uid and gid 0 that mkfs made at `created` (ns since 1970).
pub(super) fn directory_slot(number: u64, permissions: u32, created: i64) -> SlotBytes {
    let mut public_id = [0; 16];
    public_id[..8].copy_from_slice(&number.to_le_bytes());
    let anchor = Anchor {
        number,
        hint: 0,
        random: 0,
        public_id,
        gravity_center: 0,
        mass: 0,
        data_class: 0,
        tag_filter: 0,
        orbit_vector: 0,
        fractal_scale: 0,
        permissions,
        sovereign_id: 0,
        mod_clock: created,
        write_gen: 1,
        create_clock: birth_time(created).0,
        checksum: 0,
        inline_buffer: [0; 28],
    };
    let attributes = Attributes {
        uid: 0,
        gid: 0,
        nlink: 2,
        rdev: 0,
        atime: created,
        ctime: created,
        btime_ns: birth_time(created).1,
        blocks: 0,
        extension: 0,
        parent_number: number,
        parent_hint: 0,
        crc: 0,
    };
    Slot { anchor, attributes }.encode()
}
