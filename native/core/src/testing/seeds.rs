//! Property tests over many seeds.

/// Runs `test` with many seeds. `HN4_SEEDS` sets how many, `HN4_SEED` runs one alone; a failure
/// prints its seed.
pub fn with_seeds(count: u64, test: impl Fn(u64)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("HN4_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("HN4_SEEDS").unwrap_or(count),
    };
    for seed in seeds {
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(seed)));
        if let Err(panic) = run {
            eprintln!("failed with HN4_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
