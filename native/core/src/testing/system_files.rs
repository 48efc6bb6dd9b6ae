//! The three directories every volume starts with.

use crate::base::crc32c;
use crate::format::layout::{
    Anchor, Attributes, INO_ORPHANS, INO_PUBLIC_IDS, INO_ROOT, REGION_PAGES, SLOT_SIZE,
};

/// Number and permissions (type and mode) of the directories, in the order they are placed.
pub(super) const SYSTEM_DIRECTORIES: [(u64, u32); 3] =
    [(INO_ROOT, 0o40755), (INO_ORPHANS, 0o40700), (INO_PUBLIC_IDS, 0o40700)];

/// The slot of an empty directory of uid and gid 0 that mkfs made at `created` (ns since 1970).
pub(super) fn directory_slot(number: u64, permissions: u32, created: i64) -> [u8; SLOT_SIZE as usize] {
    let mut seed_id = [0; 16];
    seed_id[..8].copy_from_slice(&number.to_le_bytes());
    let mut anchor = Anchor {
        number,
        hint: 0,
        random: 0,
        public_id: seed_id,
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
        create_clock: created.div_euclid(1_000_000_000) as u32,
        checksum: 0,
        inline_buffer: [0; 28],
    };
    let mut slot = [0; SLOT_SIZE as usize];
    anchor.encode(&mut slot);
    anchor.checksum = crc32c(&slot[..Anchor::SIZE]);
    anchor.encode(&mut slot);
    let attributes = Attributes {
        uid: 0,
        gid: 0,
        nlink: 2,
        rdev: 0,
        atime: created,
        ctime: created,
        btime_ns: created.rem_euclid(1_000_000_000) as u32,
        blocks: 0,
        extension: 0,
        parent_number: number,
        parent_hint: 0,
        crc: 0,
    };
    attributes.encode(&mut slot[Anchor::SIZE..]);
    let mut covered = seed_id.to_vec();
    covered.extend_from_slice(&slot[Anchor::SIZE..Anchor::SIZE + Attributes::AT_CRC]);
    slot[Anchor::SIZE + Attributes::AT_CRC..].copy_from_slice(&crc32c(&covered).to_le_bytes());
    slot
}

/// H1 of a file with hint 0 (docs/format.md 3, "Placement in the cortex").
pub(super) fn home_page(number: u64, hash_key: &[u8; 16]) -> u64 {
    let mut message = [0; 13];
    message[0] = b'C';
    message[1..9].copy_from_slice(&number.to_le_bytes());
    crate::base::siphash24(hash_key, &message) % REGION_PAGES
}
