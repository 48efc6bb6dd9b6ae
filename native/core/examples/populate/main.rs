//! Fills a formatted volume through the engine and prints what a reader must find there, as JSON:
//!
//!     populate IMAGE SEED            fill, commit, close
//!     populate IMAGE SEED --small    fill less: for volumes that are kept in a file of the project
//!     populate IMAGE SEED --crash    fill, commit, and leave without closing: the log must be replayed
//!     populate IMAGE --list          change nothing: what the engine finds there
//!     populate IMAGE... --left       the same of a damaged volume: what is left (left.rs)
//!
//! `--xor` after any of these: the image has descriptors of 64 bytes and blocks of the test codec.
//!
//! What is printed after a fill comes from a model in memory, not from the volume; the volume must
//! agree with it before the image is left.

mod fill;
mod left;
mod listing;
#[path = "../../tests/manifest/mod.rs"]
mod manifest;
mod rounds;
mod world;

use hn4_core::base::Error;
use hn4_core::device::{FileDevice, OpenFile};
use hn4_core::format::MakeCodec;
use hn4_core::testing::{codec_of, try_open};
use hn4_core::vfs::{FileSystem, Vfs};
use hn4_core::volume::{OpenOptions, Reporter};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use world::World;

fn open(image: &str, codec: Option<MakeCodec>, read_only: bool, rescue: bool) -> Result<FileSystem, Error> {
    let how = if read_only { OpenFile::READ_ONLY } else { OpenFile::READ_WRITE };
    let device = Arc::new(FileDevice::open(Path::new(image), how)?);
    let reporter = Reporter::new(|line| eprintln!("populate: {line}"));
    let options = OpenOptions { read_only, rescue, reporter, codec, ..OpenOptions::default() };
    Ok(try_open(device, options)?.0)
}

fn list(image: &str, codec: Option<MakeCodec>) -> Result<(), Error> {
    let fs = open(image, codec, true, false)?;
    println!("{}", listing::of_volume(&fs)?);
    fs.shutdown()
}

/// One document with a list for each image; in place of the list, why nothing is left.
fn left(images: &[&str]) -> Result<(), Error> {
    let of_image = |image: &&str| match open(image, None, true, true) {
        Ok(fs) => serde_json::Value::from(left::of_volume(&fs)),
        Err(error) => serde_json::Value::from(error.to_string()),
    };
    println!("{}", serde_json::Value::from_iter(images.iter().map(of_image)));
    Ok(())
}

fn populate(image: &str, codec: Option<MakeCodec>, seed: u64, small: bool, crash: bool) -> Result<(), Error> {
    let mut world = World::new(open(image, codec, false, false)?, seed);
    world.repeats = small;
    fill::fill(&mut world, small)?;
    rounds::run(&mut world, if small { 60 } else { 600 })?;
    world.fs.syncfs()?;
    let expected = world.manifest()?;
    let found = listing::of_volume(&world.fs)?;
    listing::demand_equal(&expected, &found);
    println!("{expected}");
    if crash {
        // No destructor runs: the log is left as the last commit wrote it.
        std::process::exit(0);
    }
    world.fs.shutdown()
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    let codec: Option<MakeCodec> = words.contains(&"--xor").then_some(codec_of);
    words.retain(|word| *word != "--xor");
    let done = match words[..] {
        [image, "--list"] => list(image, codec),
        [ref images @ .., "--left"] => left(images),
        [image, seed, ref options @ ..] if seed.parse::<u64>().is_ok() => {
            let has = |name: &str| options.contains(&name);
            populate(image, codec, seed.parse().unwrap_or(0), has("--small"), has("--crash"))
        }
        _ => {
            eprintln!(
                "usage: populate IMAGE SEED [--small] [--crash] [--xor] | populate IMAGE --list [--xor] | \
                 populate IMAGE... --left"
            );
            return ExitCode::FAILURE;
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("populate: {error}");
            ExitCode::FAILURE
        }
    }
}
