//! Extendible hashing (the engine's directories) against linear hashing with overflow leaves:
//! the table of docs/adr/0001-directories.md.
//!
//!     cargo run --release -p hn4-core --example sim_directory

use hn4_core::base::Result;
use hn4_core::directory::{BlockBytes, DirBlocks, DirReads, DirTable, LEAF_BYTES, Seed, name_hash};

const KEY: [u8; 16] = *b"sim_directory\0\0\0";
const NUMBER: u64 = 16;
const ENTRY_HEADER: usize = 26;

/// Names as they occur: 16 bytes each, 4 to 60 bytes, 255 bytes.
#[derive(Clone, Copy)]
enum Names {
    Short,
    Mixed,
    Long,
}

impl Names {
    fn name(self, id: u64) -> Vec<u8> {
        let mut name = format!("{id:x}").into_bytes();
        let length = match self {
            Names::Short => 16,
            Names::Mixed => 4 + (id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % 57,
            Names::Long => 255,
        };
        name.resize(length.max(name.len()), b'.');
        name
    }
    fn label(self) -> &'static str {
        match self {
            Names::Short => "16",
            Names::Mixed => "4 to 60",
            Names::Long => "255",
        }
    }
}

/// What one scheme costs.
#[derive(Default)]
struct Cost {
    /// Blocks of the directory, index and overflow leaves included.
    blocks: u64,
    index_blocks: u64,
    overflow_blocks: u64,
    used_bytes: u64,
    /// Blocks read by lookups of every name; the most by one.
    reads: u64,
    most_reads: u64,
    /// Blocks rewritten by all inserts; the most by one.
    writes: u64,
    most_writes: u64,
}

/// Blocks in memory that count.
#[derive(Default)]
struct Blocks {
    blocks: Vec<Option<BlockBytes>>,
    reads: u64,
    writes: u64,
}

impl DirReads for Blocks {
    fn read(&mut self, block: u32) -> Result<BlockBytes> {
        self.reads += 1;
        Ok(self.blocks[block as usize].clone().expect("a block is written before it is read"))
    }
}

impl DirBlocks for Blocks {
    fn write(&mut self, block: u32, bytes: BlockBytes) {
        self.writes += 1;
        self.blocks[block as usize] = Some(bytes);
    }
    fn set_len(&mut self, blocks: u32) {
        self.blocks.resize(blocks as usize, None);
    }
}

fn extendible(names: Names, count: u64) -> Cost {
    let mut blocks = Blocks::default();
    let mut table = DirTable::empty(NUMBER, KEY);
    let mut cost = Cost::default();
    for id in 0..count {
        let before = blocks.writes;
        let seed = Seed { number: id + 1, hint: 0, random: 0 };
        table.insert(&mut blocks, &names.name(id), seed, 8).expect("room for one more name");
        cost.most_writes = cost.most_writes.max(blocks.writes - before);
    }
    cost.writes = blocks.writes;
    for id in 0..count {
        let before = blocks.reads;
        table.lookup(&mut blocks, &names.name(id)).expect("sound").expect("there");
        let reads = blocks.reads - before;
        cost.reads += reads;
        cost.most_reads = cost.most_reads.max(reads);
    }
    let report = table.check(&mut blocks).expect("sound");
    cost.blocks = u64::from(report.leaves + report.index_blocks);
    cost.index_blocks = u64::from(report.index_blocks);
    cost.used_bytes = report.used_bytes;
    cost
}

/// One bucket of linear hashing: a leaf and its overflow leaves.
#[derive(Default)]
struct Bucket {
    /// Bytes used in each leaf of the chain.
    leaves: Vec<usize>,
    /// Hash, bytes and leaf of each entry.
    entries: Vec<(u64, usize, usize)>,
}

impl Bucket {
    /// Enters an entry where there is room; returns blocks rewritten.
    fn insert(&mut self, hash: u64, size: usize) -> u64 {
        if let Some(leaf) = self.leaves.iter().position(|used| used + size <= LEAF_BYTES) {
            self.leaves[leaf] += size;
            self.entries.push((hash, size, leaf));
            return 1;
        }
        self.entries.push((hash, size, self.leaves.len()));
        self.leaves.push(size);
        // The new leaf, and the one before that names it.
        if self.leaves.len() > 1 { 2 } else { 1 }
    }
    fn blocks(&self) -> u64 {
        self.leaves.len().max(1) as u64
    }
}

/// Linear hashing (Litwin 1980): one bucket splits whenever the entries fill more than `load` of
/// the primary leaves; which one is a matter of turn, so full buckets wait with overflow leaves.
fn linear(names: Names, count: u64, load: f64) -> Cost {
    let mut buckets = vec![Bucket::default()];
    let (mut level, mut pointer, mut used) = (0u32, 0usize, 0usize);
    let mut cost = Cost::default();
    for id in 0..count {
        let name = names.name(id);
        let hash = name_hash(&KEY, NUMBER, &name);
        let size = ENTRY_HEADER + name.len();
        used += size;
        let mut writes = buckets[place(hash, level, pointer)].insert(hash, size);
        if used as f64 > load * (buckets.len() * LEAF_BYTES) as f64 {
            let old = std::mem::take(&mut buckets[pointer]);
            buckets.push(Bucket::default());
            let bit = 1u64 << level;
            pointer += 1;
            if pointer == 1 << level {
                (level, pointer) = (level + 1, 0);
            }
            let (low, high) = (buckets.len() - 1 - bit as usize, buckets.len() - 1);
            for (hash, size, _) in old.entries {
                buckets[if hash & bit == 0 { low } else { high }].insert(hash, size);
            }
            writes += buckets[low].blocks() + buckets[high].blocks();
        }
        cost.writes += writes;
        cost.most_writes = cost.most_writes.max(writes);
    }
    for bucket in &buckets {
        cost.blocks += bucket.blocks();
        cost.overflow_blocks += bucket.blocks() - 1;
        for (_, size, leaf) in &bucket.entries {
            cost.used_bytes += *size as u64;
            cost.reads += *leaf as u64 + 1;
            cost.most_reads = cost.most_reads.max(*leaf as u64 + 1);
        }
    }
    cost
}

fn place(hash: u64, level: u32, pointer: usize) -> usize {
    let bucket = (hash & ((1 << level) - 1)) as usize;
    if bucket < pointer { (hash & ((1 << (level + 1)) - 1)) as usize } else { bucket }
}

fn print(scheme: &str, names: Names, count: u64, cost: &Cost) {
    let share = |part: u64, whole: u64| part as f64 / whole as f64;
    println!(
        "| {scheme} | {} | {count} | {} | {:.2} | {:.1} % | {:.1} % | {:.3} | {} | {:.3} | {} |",
        names.label(),
        cost.blocks,
        share(cost.used_bytes, cost.blocks * LEAF_BYTES as u64),
        100.0 * share(cost.overflow_blocks, cost.blocks),
        100.0 * share(cost.index_blocks, cost.blocks),
        share(cost.reads, count),
        cost.most_reads,
        share(cost.writes, count),
        cost.most_writes,
    );
}

fn main() {
    println!(
        "| Scheme | Name bytes | Names | Blocks | Load | Overflow | Index | Reads per lookup | most | \
         Blocks rewritten per insert | most |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for names in [Names::Short, Names::Mixed, Names::Long] {
        for count in [1_000, 30_000, 1_000_000] {
            print("extendible", names, count, &extendible(names, count));
            for load in [0.65, 0.75, 0.85] {
                print(&format!("linear, {load}"), names, count, &linear(names, count, load));
            }
        }
    }
}
