//! The live descriptors: each legal, each (owner, index, copy) once, each block as its checksum says.

use super::Context;
use super::image::Image;
use crate::base::{AlignedBuf, DataNumber};
use crate::format::{Descriptor, Region};
use std::collections::BTreeMap;

/// A live block.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub data: DataNumber,
    pub descriptor: Descriptor,
}

impl Held {
    pub fn is_unwritten(&self) -> bool {
        self.descriptor.is_unwritten()
    }
    pub fn is_meta(&self) -> bool {
        self.descriptor.is_meta()
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
            let table = context.geometry.descriptors;
            let Some(bytes) = image.get(Region::Descriptor, table.page_of(data)) else {
                context.problem(format!("data block {data}: in use, but without a descriptor"));
                continue;
            };
            let descriptor = table.decode(bytes, table.position(data));
            let held = Held { data: DataNumber(data), descriptor };
            check_fields(context, image, &held);
            if !held.is_unwritten() {
                let good = context.read_block(&held, &mut buf).is_ok();
                context.demand(good, || {
                    format!("data block {data}: bytes and checksum differ ({descriptor:?})")
                });
            }
            let copy = descriptor.copy();
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
    let legal = d.problem(context.geometry.copies()).is_none() && d.txn <= image.last_txn;
    context.demand(legal, || format!("data block {}: illegal descriptor {d:?}", held.data.0));
}
