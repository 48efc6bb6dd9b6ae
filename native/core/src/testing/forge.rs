//! Metadata as a bug, an old log or somebody with a program would leave it: wrong, under checksums that hold.

use super::damage::read_block;
use crate::device::Device;
use crate::device::testing::MemDevice;
use crate::format::slot::{SLOT_SIZE, number_of, set_checksum};
use crate::format::{Geometry, PageBytes, Region, Slot, SlotBytes, layout, load_page, store_page};
use crate::superblocks;

/// The geometry of the volume on a device.
pub fn geometry_of(device: &MemDevice) -> Geometry {
    superblocks::read(device).expect("a volume").geometry
}

/// Changes a page in every copy. `change` gets its bytes and the transaction of its trailer, which it may
/// change. False: the page was never written.
pub fn forge_page(
    device: &MemDevice,
    region: Region,
    number: u64,
    mut change: impl FnMut(&mut PageBytes, &mut u64),
) -> bool {
    let geometry = geometry_of(device);
    let page = geometry.map.page(region, number).expect("a page of the region");
    let mut written = false;
    for copy in 0..geometry.copies() {
        let block = geometry.page_block(copy, page).expect("a copy of the volume");
        let mut bytes: PageBytes = read_block(device, block);
        let Ok(mut txn) = load_page(&mut bytes, &geometry.map, region, number) else { continue };
        change(&mut bytes, &mut txn);
        store_page(&mut bytes, &geometry.map, region, number, txn);
        device.write(block, &bytes).expect("a block of the device");
        written = true;
    }
    written
}

/// Changes the slot of a file, which must stand in the cortex at home.
pub fn forge_slot(device: &MemDevice, number: u64, change: impl Fn(&mut Slot)) {
    let pages = geometry_of(device).map.pages_of(Region::Cortex);
    let mut found = 0;
    for page in 0..pages {
        forge_page(device, Region::Cortex, page, |bytes, _| {
            for at in (0..layout::PAGE_PAYLOAD as usize).step_by(SLOT_SIZE) {
                let slot: &mut SlotBytes = (&mut bytes[at..at + SLOT_SIZE]).try_into().expect("a slot");
                if number_of(slot) != number {
                    continue;
                }
                let mut fields = Slot::fields(slot);
                change(&mut fields);
                fields.anchor.encode(&mut slot[..layout::Anchor::SIZE]);
                fields.attributes.encode(&mut slot[layout::Anchor::SIZE..]);
                set_checksum(slot);
                found += 1;
            }
        });
    }
    assert!(found > 0, "file {number} has no slot at home");
}
