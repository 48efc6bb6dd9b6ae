//! test/vectors/slot-states.json: every cell of the table of legal forms, and single departures from it, as the
//! TypeScript side decides them.

use super::forms::CHAIN_FLAGS;
use super::*;
use crate::base::BlockNumber;
use crate::format::Window;
use serde_json::Value;

/// The volume of the vectors: a window from block 5000 on, 4099 blocks and 300 of overwrite area, 100 units.
fn verdict(slot: &Slot, window: &Window) -> &'static str {
    match slot.check().and_then(|()| slot.check_against(window, 100)) {
        Ok(()) => "legal",
        Err(error) if error.code == Code::NotSupported => "unsupported",
        Err(error) => {
            assert_eq!(error.code, Code::Corrupt, "{error}");
            "corrupt"
        }
    }
}

fn vectors() -> (Value, Window) {
    let root = serde_json::from_str(include_str!("../../../../../test/vectors/slot-states.json")).unwrap();
    (root, Window::new(BlockNumber(5000), 4099, 300).unwrap())
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn numbers(axis: &Value) -> Vec<u64> {
    let number = |v: &Value| v.as_u64().unwrap_or_else(|| v.as_str().unwrap().parse().unwrap());
    axis.as_array().unwrap().iter().map(number).collect()
}

/// The slot of a cell; what no axis has is as in an empty file.
fn cell(kind: u64, class: u64, mass: u64, blocks: u64, nlink: u64, buffer: &[u8]) -> Slot {
    let mut slot = Slot::fields(&EMPTY);
    let announced = CHAIN_FLAGS.iter().any(|(flag, _)| class & flag != 0);
    let (a, t) = (&mut slot.anchor, &mut slot.attributes);
    (a.number, a.hint, a.random) = (77, 5, 1);
    a.permissions = (kind as u32) << 12 | 0o644;
    (a.data_class, a.mass) = (class, mass);
    a.inline_buffer.copy_from_slice(buffer);
    if blocks > 0 {
        (a.gravity_center, a.orbit_vector) = (5000, 1);
    }
    (t.nlink, t.blocks, t.parent_number) = (nlink as u32, blocks, 1);
    t.extension = u64::from(announced);
    slot
}

#[test]
fn exactly_the_cells_of_the_vectors_are_legal() {
    let (root, window) = vectors();
    let axes = &root["axes"];
    let buffers: Vec<Vec<u8>> =
        axes["buffers"].as_array().unwrap().iter().map(|v| hex(v.as_str().unwrap())).collect();
    let (masses, blocks, nlinks) =
        (numbers(&axes["mass"]), numbers(&axes["blocks"]), numbers(&axes["nlink"]));
    let mut cells = 0;
    let mut legal = 0;
    for kind in numbers(&axes["types"]) {
        for class in numbers(&axes["classes"]) {
            let bits = hex(root["legal"][format!("{kind} {class}")].as_str().unwrap_or(""));
            let mut i = 0;
            for &mass in &masses {
                for &blocks in &blocks {
                    for &nlink in &nlinks {
                        for buffer in &buffers {
                            let slot = cell(kind, class, mass, blocks, nlink, buffer);
                            let expected = bits.get(i / 8).is_some_and(|byte| byte >> (i % 8) & 1 == 1);
                            let found = verdict(&slot, &window);
                            assert_eq!(found == "legal", expected, "{slot:?}");
                            legal += u64::from(expected);
                            i += 1;
                        }
                    }
                }
            }
            cells += i;
        }
    }
    assert!(cells > 3_000_000 && legal > 1000, "{legal} of {cells}");
}

#[test]
fn single_departures_are_damage_or_need_a_later_version() {
    let (root, window) = vectors();
    for v in root["singles"].as_array().unwrap() {
        let bytes: SlotBytes = hex(v["bytes"].as_str().unwrap()).try_into().unwrap();
        assert!(checksum_holds(&bytes));
        assert_eq!(verdict(&Slot::fields(&bytes), &window), v["verdict"], "{}", v["title"]);
    }
}
