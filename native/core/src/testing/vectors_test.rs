//! test/vectors/{anchor,page,record,mkfs}.json, written by test/tools/write-vectors.ts: what the
//! TypeScript side writes, this side reads and writes the same.

use super::{FormatOptions, format_volume, make_superblock};
use crate::base::{BLOCK_SIZE, BlockNumber, siphash24};
use crate::cortex::{Key, Placement};
use crate::device::Device;
use crate::device::testing::MemDevice;
use crate::format::{DescriptorTable, Geometry, PageBytes, PageMap, Region, Slot, SlotBytes, load_page};
use crate::log::RecordView;
use serde_json::Value;

fn hex(v: &Value) -> Vec<u8> {
    let text = v.as_str().expect("hexadecimal digits");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn decimal<T: std::str::FromStr<Err: std::fmt::Debug>>(v: &Value) -> T {
    v.as_str().expect("decimal digits").parse().unwrap()
}

#[test]
fn anchors_placement_and_hashes_are_those_of_the_vectors() {
    let root: Value = serde_json::from_str(include_str!("../../../../test/vectors/anchor.json")).unwrap();
    let key: [u8; 16] = hex(&root["hash_key"]).try_into().unwrap();
    let placement = Placement::new(key, root["cortex_pages"].as_u64().unwrap()).unwrap();
    for v in root["slots"].as_array().unwrap() {
        let bytes: SlotBytes = hex(&v["bytes"]).try_into().unwrap();
        let slot = Slot::decode(&bytes).unwrap();
        let (a, t) = (&slot.anchor, &slot.attributes);
        let shown = (a.number, a.mass, a.mod_clock, t.ctime);
        let anchor = &v["anchor"];
        let expected = (
            decimal(&anchor["number"]),
            decimal(&anchor["mass"]),
            decimal(&anchor["mod_clock"]),
            decimal(&v["attributes"]["ctime"]),
        );
        assert_eq!(shown, expected, "{}", v["title"]);
        assert_eq!(u64::from(a.permissions), anchor["permissions"].as_u64().unwrap());
        assert_eq!(slot.encode(), bytes);
        let homes = placement.homes(Key { number: a.number, hint: a.hint });
        assert_eq!((homes.h1, homes.h2), (v["h1"].as_u64().unwrap(), v["h2"].as_u64().unwrap()));
    }
    for v in root["names"].as_array().unwrap() {
        let directory = v["directory"].as_u64().unwrap().to_le_bytes();
        let hash = siphash24(&key, &[b"N", &directory[..], &hex(&v["name"])].concat());
        assert_eq!(hash & ((1 << 56) - 1), decimal::<u64>(&v["hash"]));
    }
    for v in root["siphash"].as_array().unwrap() {
        assert_eq!(siphash24(&key, &hex(&v["bytes"])), decimal::<u64>(&v["hash"]));
    }
}

#[test]
fn pages_are_those_of_the_vectors() {
    let root: Value = serde_json::from_str(include_str!("../../../../test/vectors/page.json")).unwrap();
    for v in root["pages"].as_array().unwrap() {
        let bytes: PageBytes = hex(&v["bytes"]).try_into().unwrap();
        let salt: [u8; 16] = hex(&v["salt"]).try_into().unwrap();
        let map = PageMap { copy_a: BlockNumber(0), copy_b: None, pages: [1000; 9], salt };
        let region = match v["region"].as_u64() {
            Some(4) => Region::Descriptor,
            _ => Region::Cortex,
        };
        let number = v["page"].as_u64().unwrap();
        assert_eq!(load_page(&mut bytes.clone(), &map, region, number), Ok(v["txn"].as_u64().unwrap()));
        assert!(load_page(&mut bytes.clone(), &map, region, number + 1).is_err());
    }
    let v = &root["descriptor"];
    let page = hex(&root["pages"][0]["bytes"]);
    let table = DescriptorTable::PLAIN;
    let descriptor = table.decode(&page, table.position(v["data"].as_u64().unwrap()));
    assert_eq!(descriptor.owner, decimal::<u64>(&v["fields"]["owner"]));
    assert_eq!(descriptor.index, v["fields"]["index"].as_u64().unwrap());
    assert_eq!(u64::from(descriptor.stamp.crc), v["fields"]["crc"].as_u64().unwrap());
}

#[test]
fn the_record_of_the_vectors_is_read_item_by_item() {
    let root: Value = serde_json::from_str(include_str!("../../../../test/vectors/record.json")).unwrap();
    let mut geometry = Geometry::of(&make_superblock(&FormatOptions::new(16_384)).unwrap()).unwrap();
    geometry.map.salt = hex(&root["fields"]["salt"]).try_into().unwrap();
    let mut bytes = hex(&root["bytes"]);
    let view = RecordView::open(&mut bytes, &geometry).unwrap();
    assert_eq!(view.txn(), decimal::<u64>(&root["fields"]["txn"]));
    assert_eq!(view.items().count(), root["items"].as_array().unwrap().len());
}

#[test]
fn a_volume_formatted_here_is_the_one_that_mkfs_makes() {
    let root: Value = serde_json::from_str(include_str!("../../../../test/vectors/mkfs.json")).unwrap();
    for v in root["volumes"].as_array().unwrap() {
        let block_count = v["blocks"].as_u64().unwrap();
        let options = FormatOptions {
            label: v["label"].as_str().unwrap().to_string(),
            seed: hex(&v["seed"]).try_into().unwrap(),
            dup: v["copies"].as_u64() == Some(2),
            stride: v["stride"].as_u64().unwrap(),
            scale: v["scale"].as_u64().unwrap() as u16,
            created: decimal(&v["created"]),
            ..FormatOptions::new(block_count)
        };
        let device = MemDevice::new(block_count);
        format_volume(&device, &options).unwrap();
        // Not CRC32C: of a block that ends with its own CRC, that says nothing about the content.
        let (mut count, mut sum) = (0, 0u64);
        let mut bytes = [0; BLOCK_SIZE];
        for block in 0..block_count {
            device.read(BlockNumber(block), &mut bytes).unwrap();
            if bytes.iter().any(|&b| b != 0) {
                count += 1;
                let mut key = [0; 16];
                key[..8].copy_from_slice(&sum.to_le_bytes());
                key[8..].copy_from_slice(&block.to_le_bytes());
                sum = siphash24(&key, &bytes);
            }
        }
        let expected = (v["nonzero_blocks"].as_u64().unwrap(), decimal(&v["siphash"]));
        assert_eq!((count, sum), expected, "{block_count} blocks");
    }
}
