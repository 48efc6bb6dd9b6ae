//! The live descriptors: each legal, each (owner, index, copy) once, each block as its checksum says.

use super::Context;
use super::image::Image;
use crate::base::{AlignedBuf, DataNumber, crc32c};
use crate::format::Region;
use crate::format::layout::{self as l, Descriptor};
use std::collections::BTreeMap;

/// A live block.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub data: DataNumber,
    pub descriptor: Descriptor,
}

impl Held {
    pub fn is_unwritten(&self) -> bool {
        u64::from(self.descriptor.flags) & l::DESCRIPTOR_UNWRITTEN != 0
    }
    pub fn is_meta(&self) -> bool {
        u64::from(self.descriptor.flags) & l::DESCRIPTOR_META != 0
    }
}

/// What a file owns, by (index, copy).
pub type Owned = BTreeMap<(u64, u8), Held>;

#[derive(Default)]
pub struct Blocks {
    pub by_owner: BTreeMap<u64, Owned>,
    nothing: Owned,
}

impl Blocks {
    pub fn of(&self, owner: u64) -> &Owned {
        self.by_owner.get(&owner).unwrap_or(&self.nothing)
    }

    /// Goes through the free map and reads every block that it calls live.
    pub fn load(context: &mut Context, image: &Image) -> Blocks {
        let mut blocks = Blocks::default();
        let mut buf = AlignedBuf::zeroed(1);
        for data in image.bits(Region::Free) {
            if data >= context.geometry.data_blocks() {
                context.problem(format!("free map: bit {data} lies behind the last data block"));
                continue;
            }
            context.report.live_blocks += 1;
            let (page, at) = (data / l::DESCRIPTORS_PER_PAGE, data % l::DESCRIPTORS_PER_PAGE);
            let place = at as usize * Descriptor::SIZE;
            let bytes = image.get(Region::Descriptor, page);
            let Some(descriptor) = bytes.and_then(|bytes| Descriptor::decode(&bytes[place..])) else {
                context.problem(format!("data block {data}: in use, but without a descriptor"));
                continue;
            };
            let held = Held { data: DataNumber(data), descriptor };
            check_fields(context, image, &held);
            if !held.is_unwritten() {
                let block = context.geometry.data_block(data);
                let good = context.device.read(block, &mut buf).is_ok() && crc32c(&buf) == descriptor.crc;
                context.demand(good, || {
                    format!("data block {data}: bytes and checksum differ ({descriptor:?})")
                });
            }
            let copy = (descriptor.flags & 0xf) as u8;
            let owned = blocks.by_owner.entry(descriptor.owner).or_default();
            if let Some(before) = owned.insert((descriptor.index, copy), held) {
                context.problem(format!(
                    "data blocks {} and {data} are both block {} (copy {copy}) of file {}",
                    before.data.0, descriptor.index, descriptor.owner
                ));
            }
        }
        blocks
    }
}

fn check_fields(context: &mut Context, image: &Image, held: &Held) {
    let d = &held.descriptor;
    let known = 0xf | l::DESCRIPTOR_UNWRITTEN | l::DESCRIPTOR_META;
    let copy = u64::from(d.flags & 0xf);
    let copies = if held.is_meta() { context.geometry.copies() as u64 } else { 1 };
    let legal = u64::from(d.flags) & !known == 0
        && copy < copies
        && !(held.is_meta() && held.is_unwritten())
        && u64::from(d.stored) == if held.is_unwritten() { 0 } else { l::BLOCK_SIZE }
        && (!held.is_unwritten() || d.crc == 0)
        && d.txn != 0
        && d.txn <= image.last_txn;
    context.demand(legal, || format!("data block {}: illegal descriptor {d:?}", held.data.0));
}
