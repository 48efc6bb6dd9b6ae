use super::{FormatOptions, format_volume};
use crate::base::{BLOCK_SIZE, Block};
use crate::chronicle::{checkpoint, recover};
use crate::cortex::{Key, Placement};
use crate::device::Device;
use crate::device::testing::{Discard, MemDevice};
use crate::format::slot::{Slot, SlotBytes, is_empty};
use crate::format::{Region, superblock, verify_page};

fn block(device: &MemDevice, number: u64) -> [u8; BLOCK_SIZE] {
    let mut bytes = [0; BLOCK_SIZE];
    device.read(Block(number), &mut bytes).unwrap();
    bytes
}

<<<<<<< .merge_file_KDb8AB
=======
/// test/vectors/mkfs.json holds what the TypeScript mkfs wrote.
#[test]
fn both_formatters_write_the_same_bytes() {
    let text = include_str!("../../../../test/vectors/mkfs.json");
    let root: Value = serde_json::from_str(text).unwrap();
    for case in root["volumes"].as_array().unwrap() {
        let block_count = case["block_count"].as_u64().unwrap();
        let seed = u128::from_str_radix(case["seed"].as_str().unwrap(), 16).unwrap().to_be_bytes();
        let options = FormatOptions {
            label: case["label"].as_str().unwrap().into(),
            seed,
            dup: case["copies"] == 2,
            created: case["created_ns"].as_str().unwrap().parse().unwrap(),
            ..FormatOptions::new(block_count)
        };
        let device = MemDevice::new(block_count);
        format_volume(&device, &options).unwrap();
        let mut found = BTreeMap::new();
        for number in 0..block_count {
            let bytes = block(&device, number);
            if bytes.iter().any(|&b| b != 0) {
                found.insert(number.to_string(), u64::from(crc32c(&bytes[..BLOCK_SIZE - 4])));
            }
        }
        let expected: BTreeMap<String, u64> = serde_json::from_value(case["blocks"].clone()).unwrap();
        assert_eq!(found, expected, "{block_count} blocks");
    }
}

>>>>>>> .merge_file_ksFRNU
#[test]
fn a_device_with_old_contents_holds_an_empty_volume_afterwards() {
    for dup in [true, false] {
        let device = MemDevice::with_discard(8192, Discard::Junk);
        device.discard(Block(0), 8192).unwrap();
        format_volume(&device, &FormatOptions { dup, ..FormatOptions::new(8192) }).unwrap();
        let geometry = superblock::read(&device).unwrap().geometry;
        let found = checkpoint::read(&device, &geometry).unwrap().checkpoint;
        assert_eq!(recover(&device, &geometry, &found).unwrap().records, 0);
        let placement = Placement::new(geometry.hash_key, geometry.map.pages_of(Region::Cortex)).unwrap();
        let init = block(&device, geometry.page_block(0, geometry.map.start(Region::Init)).unwrap().0);
        let mut numbers = Vec::new();
        for number in 0..geometry.map.pages_of(Region::Cortex) {
            let page = geometry.map.page(Region::Cortex, number).unwrap();
            let (_, bit) = geometry.init_bit(page);
            let image = block(&device, geometry.page_block(0, page).unwrap().0);
            if init[bit / 8] >> (bit % 8) & 1 == 0 {
                assert!(verify_page(&image, &geometry.map, Region::Cortex, number).is_err());
                continue;
            }
            assert_eq!(verify_page(&image, &geometry.map, Region::Cortex, number), Ok(1));
            for bytes in image.chunks_exact(192).take(21).filter(|bytes| !is_empty(bytes)) {
                let bytes: &SlotBytes = bytes.try_into().unwrap();
                let slot = Slot::decode(bytes).unwrap();
                assert_eq!(placement.homes(Key::of(bytes)).h1, number);
                numbers.push(slot.anchor.number);
            }
        }
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3]);
    }
}
