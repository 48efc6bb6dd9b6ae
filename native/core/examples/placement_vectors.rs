//! Writes the golden vectors of docs/format.md section 4, read by both languages:
//! `cargo run --example placement_vectors -- test/vectors`. Numbers are decimal strings (many are
//! above 2^53); bytes are hexadecimal in their order on disk.

use std::{env, fs, path::Path};

use hn4_core::base::{BlockNumber, DataNumber};
use hn4_core::format::{Equation, Segment, Window, seed_hash};
use serde_json::{Value, json};

/// Index of the first presence node of level 2: 2^47 + 2^46.
const HUGE: u64 = (1 << 47) + (1 << 46);

fn main() -> std::io::Result<()> {
    let folder = env::args().nth(1).unwrap_or_else(|| ".".into());
    write(&folder, "trajectory.json", &trajectory())?;
    write(&folder, "segment.json", &segment())
}

fn write(folder: &str, name: &str, value: &Value) -> std::io::Result<()> {
    fs::write(Path::new(folder).join(name), serde_json::to_string(value)?.replace("},{", "},\n{") + "\n")
}

fn text(number: u64) -> String {
    number.to_string()
}
fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

fn seeds() -> [([u8; 16], [u8; 16]); 3] {
    let counting: [u8; 16] = std::array::from_fn(|i| i as u8);
    let mut root = [0; 16];
    root[0] = 1;
    [(counting, root), (counting, counting.map(|b| 255 - b)), ([0xa5; 16], [0xff; 16])]
}

fn trajectory() -> Value {
    let hashes = seeds().map(
        |(key, id)| json!({ "hashKey": hex(key), "seedId": hex(id), "seedHash": text(seed_hash(&key, &id)) }),
    );
    // A small window, one of 1 TiB, and one close to the largest volume.
    let windows =
        [(900, 10_007, 256), (4_000_000, 268_435_399, 262_144), (1 << 40, 8_796_093_022_151, 262_144)];
    let windows = windows.map(|(start, blocks, area)| {
        let window = Window::new(BlockNumber(start), blocks, area).expect("a prime");
        let phi: Vec<String> = (0..=12).map(|scale| text(window.phi(scale))).collect();
        let addresses: Vec<Value> = [0, 4, 10].into_iter().flat_map(|m| addresses(&window, m)).collect();
        json!({ "start": text(start), "blocks": text(blocks), "area": text(area), "phi": phi, "addresses": addresses })
    });
    json!({ "comment": "docs/format.md section 4; gravity and block are block numbers of the device",
        "seedHashes": hashes, "windows": windows })
}

fn addresses(window: &Window, scale: u16) -> Vec<Value> {
    let phi = window.phi(scale);
    let (key, id) = seeds()[1];
    let hash = seed_hash(&key, &id);
    let mut found = Vec::new();
    for (stride, origin) in [(1, 0), (1, phi - 1), (phi / 3 + 1, 5), (phi - 1, phi - 1)] {
        let equation = Equation { gravity: DataNumber(origin << scale), stride, scale };
        let indices = [0, (1 << scale) + 1, (phi << scale) - 1, (1 << 47) - 1, HUGE + 12_345];
        for (n, k) in indices.into_iter().flat_map(|n| [(n, 0), (n, 1)]) {
            let block = window.block(window.address(equation, n, k, hash));
            found.push(json!({
                "gravity": text(window.block(equation.gravity).0), "stride": text(stride),
                "scale": text(scale.into()), "seedHash": text(hash), "index": text(n),
                "shell": text(k.into()), "block": text(block.0),
                "contiguous": text(window.contiguous(equation, n, k, hash)),
            }));
        }
    }
    found
}

fn segment() -> Value {
    let (start, blocks, area) = (4_000_000, 268_435_399, 262_144);
    let window = Window::new(BlockNumber(start), blocks, area).expect("a prime");
    let (key, id) = seeds()[0];
    let hash = seed_hash(&key, &id);
    let list = [
        (0, 1, 0, 0),
        (12_345, 64, 1, 0),
        (1, u32::MAX, blocks - 1, 0),
        (1 << 31, 1000, blocks - 500, 0),
        ((1 << 47) - 1, 1, 77, 0),
        (HUGE, 12, 268_000_000, 0),
        (HUGE, 12, 134_000_000, 1),
        ((1 << 48) - 9, 9, 5, 1),
    ];
    let segments = list.map(|(first, len, gravity, copy)| {
        let segment = Segment { first, len, gravity: DataNumber(gravity), copy };
        let places = [first, first + u64::from(len) / 2, segment.end() - 1];
        let addresses: Vec<Value> = places
            .into_iter()
            .flat_map(|index| (0..2).map(move |k| (index, k)))
            .map(|(index, k)| {
                let data = window.address(segment.equation(), index - first, k, hash);
                json!({ "index": text(index), "shell": text(k.into()), "block": text(window.block(data).0) })
            })
            .collect();
        json!({
            "bytes": hex(segment.encode(&window)), "first": text(first), "length": text(len.into()),
            "gravity": text(window.block(segment.gravity).0), "copy": text(copy.into()), "addresses": addresses,
        })
    });
    let corrupt: Vec<String> = [
        (0, 0, start, 0),             // no block
        ((1 << 48) - 8, 9, start, 0), // index 2^48
        (0, 1, start - 1, 0),         // before the window
        (0, 1, start + blocks, 0),    // in the overwrite area
        (0, 1, (1 << 44) - 1, 0),     // nowhere
        (0, 1, start, 2),             // no such copy
    ]
    .map(|(first, len, block, copy)| {
        let packed: u128 = first | len << 48 | u128::from(block) << 80 | copy << 124;
        hex(packed.to_le_bytes())
    })
    .to_vec();
    json!({ "comment": "docs/format.md section 4: 16-byte segments, V = 1, M = 0; gravity and block are block numbers",
        "start": text(start), "blocks": text(blocks), "area": text(area), "seedHash": text(hash),
        "segments": segments, "corrupt": corrupt })
}
