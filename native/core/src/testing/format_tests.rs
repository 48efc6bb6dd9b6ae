use super::{FormatOptions, format_volume, read_block};
use crate::base::BlockNumber;
use crate::cortex::{Key, Placement};
use crate::device::Device;
use crate::device::testing::{Discard, MemDevice};
use crate::format::slot::{Slot, SlotBytes, is_empty};
use crate::format::{Region, load_page};
use crate::log::{checkpoint, recover};
use crate::superblocks;

#[test]
fn a_device_with_old_contents_holds_an_empty_volume_afterwards() {
    for dup in [true, false] {
        let device = MemDevice::with_discard(8192, Discard::Junk);
        device.discard(BlockNumber(0), 8192).unwrap();
        format_volume(&device, &FormatOptions { dup, ..FormatOptions::new(8192) }).unwrap();
        let geometry = superblocks::read(&device).unwrap().geometry;
        let found = checkpoint::read(&device, &geometry).unwrap().checkpoint;
        assert_eq!(recover(&device, &geometry, &found).unwrap().records, 0);
        let placement = Placement::new(geometry.hash_key, geometry.map.pages_of(Region::Cortex)).unwrap();
        let init = read_block(&device, geometry.page_block(0, geometry.map.start(Region::Init)).unwrap());
        let mut numbers = Vec::new();
        for number in 0..geometry.map.pages_of(Region::Cortex) {
            let page = geometry.map.page(Region::Cortex, number).unwrap();
            let (_, bit) = geometry.init_bit(page);
            let mut image = read_block(&device, geometry.page_block(0, page).unwrap());
            if init[bit / 8] >> (bit % 8) & 1 == 0 {
                assert!(load_page(&mut image, &geometry.map, Region::Cortex, number).is_err());
                continue;
            }
            assert_eq!(load_page(&mut image, &geometry.map, Region::Cortex, number), Ok(1));
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
