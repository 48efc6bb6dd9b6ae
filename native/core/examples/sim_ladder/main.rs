//! Simulations of allocation on the real modules (docs/simulations.md, "Allocation"):
//! `cargo run --release --example sim_ladder -- [log2 of blocks] [seed]`. Prints Markdown tables.
//! Model: a commit every 1,000 writes, freed blocks reusable after it; file sizes lognormal (median
//! 2 blocks, sigma 2.6, at most a quarter of 2^20 blocks' 1 GiB); 16 MiB of delayed allocation.

mod measure;
mod model;
mod random;
mod workloads;

use std::env;

fn main() {
    let number = |position: usize, default: u64| {
        env::args().nth(position).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (log2_blocks, seed) = (number(1, 20) as u32, number(2, 1));
    println!("2^{log2_blocks} blocks, seed {seed}.\n");
    workloads::fresh_fill(log2_blocks, seed);
    workloads::aging(log2_blocks, seed);
    workloads::growth(log2_blocks);
    workloads::overwrites(log2_blocks, seed, false);
    workloads::overwrites(log2_blocks, seed, true);
    workloads::resave(log2_blocks, seed);
    workloads::strides(log2_blocks.min(18), seed);
}
