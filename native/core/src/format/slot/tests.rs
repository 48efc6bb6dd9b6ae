//! Every row of the table of states is legal; every departure from one names its field.

use super::{SLOT_SIZE, *};
use crate::base::BlockNumber;
use crate::format::Window;
use crate::format::layout::*;
use crate::testing::Rng;

const MIB: u64 = 1 << 20;

/// An empty regular file with every free field set to something.
fn file() -> Slot {
    Slot {
        anchor: Anchor {
            number: 77,
            hint: 5,
            random: 0xdead_beef,
            public_id: [9; 16],
            gravity_center: 0,
            mass: 0,
            data_class: 0,
            tag_filter: 0,
            orbit_vector: 0,
            fractal_scale: 0,
            permissions: permissions(Kind::Regular),
            sovereign_id: 0,
            mod_clock: -5,
            write_gen: 3,
            create_clock: 1_800_000_000,
            checksum: 0,
            inline_buffer: [0; 28],
        },
        attributes: Attributes {
            uid: 1000,
            gid: 100,
            nlink: 1,
            rdev: 0,
            atime: -1,
            ctime: 7,
            btime_ns: 999_999_999,
            blocks: 0,
            extension: 0,
            parent_number: 1,
            parent_hint: 2,
            crc: 0,
        },
    }
}

fn permissions(kind: Kind) -> u32 {
    u32::from(kind.number()) << 12 | 0o644
}

fn of_kind(kind: Kind) -> Slot {
    let mut slot = file();
    slot.anchor.permissions = permissions(kind);
    slot
}

fn with_blocks(mut slot: Slot, mass: u64, blocks: u64) -> Slot {
    slot.anchor.mass = mass;
    slot.attributes.blocks = blocks;
    slot.anchor.gravity_center = 5000;
    slot.anchor.orbit_vector = 1;
    slot
}

fn inline(kind: Kind) -> Slot {
    let mut slot = of_kind(kind);
    slot.anchor.data_class = DATA_CLASS_INLINE;
    slot.anchor.mass = 5;
    slot.anchor.inline_buffer[..5].copy_from_slice(b"hello");
    slot
}

fn sparse() -> Slot {
    let mut slot = with_blocks(file(), 9 * MIB, 3);
    slot.anchor.data_class = DATA_CLASS_SPARSE;
    slot.set_file_state(&FileState { gravity_1: 9001, height: 1, root: 0b101 });
    slot
}

/// A directory of 3 leaves and 1 index block, twice.
fn directory() -> Slot {
    let mut slot = with_blocks(of_kind(Kind::Directory), 4 * 4096, 8);
    slot.attributes.nlink = 2;
    slot.set_dir_state(&DirState {
        gravity_1: 9001,
        depth: 2,
        index_first: 2,
        index_blocks: 1,
        entries: 300,
    });
    slot
}

fn empty_directory() -> Slot {
    let mut slot = of_kind(Kind::Directory);
    slot.attributes.nlink = 2;
    slot
}

fn long_symlink() -> Slot {
    let mut slot = of_kind(Kind::Symlink);
    slot.anchor.data_class = DATA_CLASS_LONG_SYMLINK;
    slot.anchor.mass = 29;
    slot.attributes.extension = 1;
    slot
}

fn device() -> Slot {
    let mut slot = of_kind(Kind::CharDevice);
    slot.attributes.rdev = 0x103;
    slot
}

/// One of each row of the table.
fn legal() -> Vec<Slot> {
    let mut truncating = with_blocks(file(), 4096, 70);
    truncating.anchor.data_class = DATA_CLASS_TRUNCATING;
    let mut tombstone = with_blocks(file(), 8 * MIB, 70);
    tombstone.anchor.data_class = DATA_CLASS_TOMBSTONE;
    tombstone.attributes.nlink = 0;
    let mut extended = with_blocks(file(), 4097, 2);
    extended.anchor.data_class = DATA_CLASS_HAS_SEGMENTS | DATA_CLASS_HAS_XATTR;
    extended.attributes.extension = 9;
    extended.set_kmax(1);
    let mut root = empty_directory();
    (root.anchor.number, root.anchor.hint, root.anchor.random) = (INO_ROOT, 0, 0);
    let mut leaf = with_blocks(of_kind(Kind::Directory), 4096, 1);
    leaf.attributes.nlink = 3;
    leaf.set_dir_state(&DirState { gravity_1: 0, depth: 0, index_first: 0, index_blocks: 0, entries: 1 });
    vec![
        file(),
        inline(Kind::Regular),
        inline(Kind::Symlink),
        with_blocks(file(), 9 * MIB, 9 * 256),
        sparse(),
        truncating,
        tombstone,
        extended,
        root,
        leaf,
        directory(),
        empty_directory(),
        long_symlink(),
        device(),
        of_kind(Kind::Fifo),
        of_kind(Kind::Socket),
    ]
}

/// The state after `change` must be refused, and the message must name `field`.
fn refused(base: Slot, field: &str, change: impl FnOnce(&mut Slot)) {
    let mut slot = base;
    change(&mut slot);
    let error = slot.check().expect_err(field);
    assert_eq!(error.code, Code::Corrupt, "{error}");
    assert!(error.detail().contains(field), "{error}, expected {field}");
}

#[test]
fn legal_states_survive_encode_and_decode() {
    for slot in legal() {
        let bytes = slot.encode();
        let back = Slot::decode(&bytes).unwrap();
        assert_eq!(back.encode(), bytes);
        let mut expected = slot;
        expected.anchor.checksum = back.anchor.checksum;
        expected.attributes.crc = back.attributes.crc;
        assert_eq!(back, expected);
        assert_eq!(number_of(&bytes), slot.anchor.number);
        assert_eq!(hint_of(&bytes), slot.anchor.hint);
    }
}

#[test]
fn every_flipped_bit_is_found() {
    for slot in [directory(), inline(Kind::Regular)] {
        let bytes = slot.encode();
        for bit in 0..SLOT_SIZE * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Slot::decode(&damaged).unwrap_err().code, Code::Corrupt, "bit {bit}");
        }
    }
}

#[test]
fn the_message_names_the_record_that_fails_its_checksum() {
    let bytes = file().encode();
    let mut damaged = bytes;
    damaged[40] ^= 1;
    assert!(Slot::decode(&damaged).unwrap_err().detail().contains("anchor checksum"));
    let mut damaged = bytes;
    damaged[130] ^= 1;
    assert!(Slot::decode(&damaged).unwrap_err().detail().contains("attributes crc"));
    assert_eq!(Slot::decode(&EMPTY).unwrap_err().code, Code::Corrupt);
}

#[test]
fn attributes_of_another_file_do_not_pass() {
    let mut other = file();
    other.anchor.number = 78;
    let mut mixed = file().encode();
    mixed[128..].copy_from_slice(&other.encode()[128..]);
    assert!(Slot::decode(&mixed).is_err());
}

#[test]
fn identities_are_numbers_of_files_or_of_system_files() {
    refused(file(), "number", |s| s.anchor.number = 0);
    refused(file(), "number", |s| s.anchor.number = 7);
    refused(file(), "number", |s| s.anchor.number = 15);
    refused(file(), "number", |s| s.anchor.number = NUMBER_END);
    refused(file(), "seed_id", |s| s.anchor.number = INO_ORPHANS);
}

#[test]
fn reserved_features_are_not_supported_and_not_damage() {
    let reserved = [
        DATA_CLASS_ENCRYPTED,
        DATA_CLASS_COMPRESSED,
        DATA_CLASS_LUDIC,
        DATA_CLASS_HAS_TAGS,
        DATA_CLASS_SEALED,
        1 << DATA_CLASS_WINDOW_SHIFT,
        1 << DATA_CLASS_COPIES_SHIFT,
    ];
    for flag in reserved {
        let mut slot = file();
        slot.anchor.data_class = flag;
        assert_eq!(slot.check().unwrap_err().code, Code::NotSupported, "{flag:#x}");
    }
}

#[test]
fn unknown_bits_and_reserved_fields_are_corrupt() {
    for bit in 27..64 {
        refused(file(), "data_class", |s| s.anchor.data_class = 1 << bit);
    }
    for bit in 18..32 {
        refused(file(), "permissions", |s| s.anchor.permissions |= 1 << bit);
    }
    refused(file(), "highest shell", |s| s.set_kmax(2));
    refused(file(), "tag_filter", |s| s.anchor.tag_filter = 1);
    refused(file(), "sovereign_id", |s| s.anchor.sovereign_id = 1);
    for number in [0, 3, 5, 7, 9, 11, 13, 14, 15] {
        refused(file(), "permissions", |s| s.anchor.permissions = number << 12);
    }
}

#[test]
fn attributes_follow_the_type_and_the_flags() {
    refused(file(), "rdev", |s| s.attributes.rdev = 1);
    refused(file(), "btime_ns", |s| s.attributes.btime_ns = 1_000_000_000);
    refused(file(), "parent_number", |s| s.attributes.parent_number = NUMBER_END);
    refused(file(), "nlink", |s| s.anchor.data_class = DATA_CLASS_TOMBSTONE);
    refused(directory(), "nlink", |s| s.attributes.nlink = 1);
    refused(file(), "extension", |s| s.attributes.extension = 4);
    refused(file(), "extension", |s| s.anchor.data_class = DATA_CLASS_HAS_XATTR);
}

#[test]
fn an_equation_is_whole_or_absent() {
    let data = with_blocks(file(), 4096, 1);
    refused(data, "gravity_center", |s| s.anchor.gravity_center = 0);
    refused(data, "orbit_vector", |s| s.anchor.orbit_vector = 0);
    refused(data, "fractal_scale", |s| s.anchor.fractal_scale = 13);
    refused(file(), "gravity_center", |s| s.anchor.gravity_center = 1);
    refused(file(), "orbit_vector", |s| s.anchor.orbit_vector = 1);
    refused(file(), "fractal_scale", |s| s.anchor.fractal_scale = 1);
}

#[test]
fn a_regular_file_owns_what_its_size_says() {
    let data = with_blocks(file(), 4097, 2);
    refused(data, "blocks", |s| s.attributes.blocks = 1);
    refused(data, "blocks", |s| s.attributes.blocks = 3);
    refused(data, "inline_buffer", |s| s.anchor.inline_buffer[27] = 1);
    refused(data, "mass", |s| s.anchor.mass = (1 << 59) + 1);
    refused(data, "data_class", |s| {
        s.anchor.data_class = DATA_CLASS_LONG_SYMLINK;
        s.attributes.extension = 1;
    });
    refused(data, "blocks", |s| {
        s.anchor.data_class = DATA_CLASS_TRUNCATING;
        s.attributes.blocks = 1;
    });
}

#[test]
fn inline_content_ends_where_the_size_says() {
    let short = inline(Kind::Regular);
    assert_eq!(short.inline_content(), b"hello");
    refused(short, "mass", |s| s.anchor.mass = 0);
    refused(short, "mass", |s| s.anchor.mass = 29);
    refused(short, "inline_buffer", |s| s.anchor.mass = 4);
    refused(short, "data_class", |s| s.anchor.data_class |= DATA_CLASS_SPARSE);
    refused(short, "data_class", |s| s.anchor.data_class |= DATA_CLASS_TRUNCATING);
    refused(short, "blocks", |s| *s = with_blocks(*s, 5, 1));
    // A hostile size never reads past the buffer.
    let mut hostile = short;
    hostile.anchor.mass = u64::MAX;
    assert_eq!(hostile.inline_content().len(), 28);
}

#[test]
fn symlinks_are_inline_or_long() {
    refused(long_symlink(), "mass", |s| s.anchor.mass = 28);
    refused(long_symlink(), "mass", |s| s.anchor.mass = 4096);
    refused(long_symlink(), "data_class", |s| s.anchor.data_class |= DATA_CLASS_INLINE);
    refused(of_kind(Kind::Symlink), "data_class", |_| ());
    refused(long_symlink(), "blocks", |s| *s = with_blocks(*s, 29, 1));
}

#[test]
fn special_files_have_no_content() {
    refused(device(), "mass", |s| s.anchor.mass = 1);
    refused(device(), "inline_buffer", |s| s.anchor.inline_buffer[0] = 1);
    refused(device(), "data_class", |s| s.anchor.data_class = DATA_CLASS_TRUNCATING);
    refused(device(), "blocks", |s| *s = with_blocks(*s, 0, 1));
}

#[test]
fn directory_state_fits_the_blocks() {
    let change = |field: &str, change: &dyn Fn(&mut DirState)| {
        refused(directory(), field, |s| {
            let mut state = s.dir_state().unwrap();
            change(&mut state);
            s.set_dir_state(&state);
        });
    };
    change("blocks", &|s| s.gravity_1 = 0);
    change("depth", &|s| s.depth = 29);
    change("entries", &|s| s.entries = 0);
    change("index_blocks", &|s| s.index_blocks = 2);
    change("index_blocks", &|s| s.depth = 0);
    change("index_first", &|s| s.index_first = 0);
    change("index_first", &|s| s.index_first = 4);
    refused(directory(), "mass", |s| s.anchor.mass += 1);
    refused(directory(), "blocks", |s| s.attributes.blocks = 7);
    refused(directory(), "directory state", |s| s.anchor.inline_buffer[7] = 1);
    refused(directory(), "data_class", |s| s.anchor.data_class = DATA_CLASS_SPARSE);
    refused(empty_directory(), "gravity_1", |s| s.anchor.inline_buffer[0] = 1);
    // Two blocks without an index: the second could not be reached.
    refused(with_blocks(of_kind(Kind::Directory), 8192, 2), "mass", |s| {
        s.attributes.nlink = 2;
        s.anchor.inline_buffer[DirState::AT_ENTRIES] = 1;
    });
}

#[test]
fn file_state_fits_the_blocks() {
    refused(sparse(), "height", |s| s.anchor.inline_buffer[6] = 4);
    refused(sparse(), "root", |s| s.anchor.inline_buffer[8] = 0);
    refused(sparse(), "file state", |s| s.anchor.inline_buffer[16] = 1);
    let mut empty = file();
    empty.anchor.data_class = DATA_CLASS_SPARSE;
    empty.check().unwrap();
    refused(empty, "root", |s| s.anchor.inline_buffer[8] = 1);
    refused(empty, "gravity_1", |s| s.anchor.inline_buffer[0] = 1);
}

#[test]
fn equations_stay_inside_the_window() {
    let window = Window::new(BlockNumber(5000), 4099, 300).unwrap();
    for slot in legal() {
        slot.check_against(&window, 100).unwrap();
    }
    let refused = |slot: &Slot, field: &str| {
        let error = slot.check_against(&window, 100).unwrap_err();
        assert!(error.detail().contains(field), "{error}");
    };
    let data = with_blocks(file(), 4096, 1);
    let mut slot = data;
    slot.anchor.gravity_center = 5000 + 4098;
    slot.check_against(&window, 100).unwrap();
    for gravity in [1, 4999, 5000 + 4099, u64::MAX] {
        slot.anchor.gravity_center = gravity;
        refused(&slot, "gravity_center");
    }
    let mut slot = data;
    slot.anchor.orbit_vector = 4099;
    refused(&slot, "orbit_vector");
    let mut slot = data;
    (slot.anchor.fractal_scale, slot.anchor.gravity_center) = (4, 5000 + 16);
    slot.check_against(&window, 100).unwrap();
    slot.anchor.gravity_center = 5000 + 8;
    refused(&slot, "gravity_center");
    let mut slot = directory();
    slot.anchor.inline_buffer[5] = 1;
    refused(&slot, "gravity_1");
    let mut slot = long_symlink();
    slot.attributes.extension = 100;
    refused(&slot, "extension");
    let mut slot = data;
    slot.attributes.blocks = 4099 + 300;
    slot.check_against(&window, 100).unwrap();
    slot.attributes.blocks += 1;
    refused(&slot, "blocks");
}

/// Any bytes give a slot or an error: noise with a good checksum reaches every rule.
#[test]
fn noise_with_a_good_checksum_never_panics() {
    let bases = legal();
    let window = Window::new(BlockNumber(40), 4099, 300).unwrap();
    let mut rng = Rng::new(1);
    for _ in 0..200_000 {
        let mut bytes = bases[rng.below(bases.len() as u64) as usize].encode();
        for _ in 0..rng.below(4) {
            bytes[rng.below(SLOT_SIZE as u64) as usize] = rng.next_u64() as u8;
        }
        set_checksum(&mut bytes);
        if let Ok(slot) = Slot::decode(&bytes) {
            assert_eq!(slot.encode(), bytes);
            let _ = slot.check_against(&window, 9);
        }
    }
}
