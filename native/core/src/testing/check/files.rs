//! The slots of cortex and stash: legal, in their place, each number once; their extension chains.

use super::Context;
use super::image::{Image, UnitsOf};
use crate::cortex::{Key, Placement};
use crate::extension::Chain;
use crate::format::layout as l;
use crate::format::slot::is_empty;
use crate::format::{Equations, Kind, Region, SegmentMap, Slot, SlotBytes, seed_hash};
use std::collections::{BTreeMap, BTreeSet};

pub struct File {
    pub slot: Slot,
    pub kind: Kind,
    pub equations: Equations,
}

impl File {
    pub fn number(&self) -> u64 {
        self.slot.anchor.number
    }
    pub fn has(&self, flag: u64) -> bool {
        self.slot.has(flag)
    }
}

#[derive(Default)]
pub struct Files {
    pub by_number: BTreeMap<u64, File>,
}

impl Files {
    pub fn load(context: &mut Context, image: &Image) -> Files {
        let mut files = Files::default();
        let mut units = BTreeSet::new();
        let pages = context.geometry.map.pages_of(Region::Cortex);
        let placement = Placement::new(context.geometry.hash_key, pages);
        let Some(placement) = context.take(placement, "cortex") else { return files };
        for region in [Region::Cortex, Region::Stash] {
            for (page, bytes) in image.pages(region) {
                for at in 0..l::SLOTS_PER_PAGE as usize {
                    let place = at * l::SLOT_SIZE as usize;
                    let bytes: &SlotBytes =
                        bytes[place..place + l::SLOT_SIZE as usize].try_into().expect("a slot");
                    if is_empty(bytes) {
                        continue;
                    }
                    context.report.files += 1;
                    let key = Key::of(bytes);
                    let at_home = region == Region::Stash || placement.homes(key).contains(page);
                    context.demand(at_home, || format!("file {}: misplaced on page {page}", key.number));
                    let what = format!("{region:?} page {page}, slot {at}");
                    if let Some(file) = read_file(context, image, bytes, &mut units, &what) {
                        let number = file.number();
                        let before = files.by_number.insert(number, file);
                        context.demand(before.is_none(), || format!("file {number} has two slots"));
                    }
                }
            }
        }
        let used: BTreeSet<u64> = image.bits(Region::Unit).collect();
        context.report.units = used.len() as u64;
        if let Some(unit) = used.symmetric_difference(&units).next() {
            let claimed = units.contains(unit);
            context.problem(format!(
                "unit map and chains disagree about unit {unit} (in a chain: {claimed}), and maybe more"
            ));
        }
        files
    }
}

fn read_file(
    context: &mut Context,
    image: &Image,
    bytes: &SlotBytes,
    units: &mut BTreeSet<u64>,
    what: &str,
) -> Option<File> {
    let slot = context.take(Slot::decode(bytes), what)?;
    let legal = slot.check_against(&context.window, context.geometry.units());
    context.take(legal, what)?;
    let kind = context.take(slot.kind(), what)?;
    let number = slot.anchor.number;
    let hash = seed_hash(&context.geometry.hash_key, &slot.seed_id());
    let mut equations = Equations::empty(&context.window, hash);
    let (stride, scale) = (slot.anchor.orbit_vector, slot.anchor.fractal_scale);
    let gravities = [slot.anchor.gravity_center, slot.gravity_1().unwrap_or(0)];
    let [anchor, copy_1] = gravities.map(|gravity| {
        let block = crate::base::BlockNumber(gravity);
        if gravity == 0 { None } else { context.window.equation(block, stride, scale).ok() }
    });
    equations.anchor = anchor;
    equations.gravity_1 = copy_1.map(|equation| equation.gravity);
    let pages = context.geometry.map.pages_of(Region::Extension);
    let chain = Chain::read(&mut UnitsOf(image), number, slot.attributes.extension, pages);
    let chain = context.take(chain, what)?;
    let announced = [
        (l::DATA_CLASS_HAS_SEGMENTS, l::EXTENSION_SEGMENTS),
        (l::DATA_CLASS_HAS_XATTR, l::EXTENSION_XATTR),
        (l::DATA_CLASS_HAS_ACL, l::EXTENSION_ACL),
        (l::DATA_CLASS_LONG_SYMLINK, l::EXTENSION_SYMLINK),
    ];
    for (flag, kind) in announced {
        context.demand(slot.has(flag) == chain.has(kind), || {
            format!("file {number}: flag {flag:#x} and extension {kind} disagree")
        });
    }
    for record in &chain.records {
        for unit in record.unit..record.unit + record.units() {
            let twice = !units.insert(unit);
            context.demand(!twice, || format!("extension unit {unit} is in two chains"));
        }
    }
    if slot.has(l::DATA_CLASS_HAS_SEGMENTS) {
        let segments = SegmentMap::load(&context.window, &chain.payload(l::EXTENSION_SEGMENTS));
        equations.segments = context.take(segments, what)?;
        context.report.segments += equations.segments.len() as u64;
    }
    if slot.has(l::DATA_CLASS_LONG_SYMLINK) {
        let length = chain.payload(l::EXTENSION_SYMLINK).len() as u64;
        context.demand(length == slot.anchor.mass, || format!("symlink {number}: {length} bytes of target"));
    }
    Some(File { slot, kind, equations })
}
