//! The workloads, each a table.

use hn4_core::base::Ino;

use crate::measure::{Shape, far_free};
use crate::model::{BURST, Volume};
use crate::random::Random;

/// Largest file: 256 MiB of a 4 GiB volume.
fn cap(volume: &Volume) -> u64 {
    (volume.window.blocks() / 16).max(1)
}

/// New files until `percent` of the volume is full.
fn fill(volume: &mut Volume, random: &mut Random, percent: u64) {
    let target = volume.capacity() * percent / 100;
    while volume.live < target {
        let len = random.file_blocks(cap(volume)).min(target - volume.live);
        volume.write_file(len);
    }
}

/// Deletes random files and writes new ones at constant fill, `times` the volume's blocks.
fn age(volume: &mut Volume, random: &mut Random, percent: u64, times: u64) {
    let target = volume.capacity() * percent / 100;
    let end = volume.counts.user + times * volume.capacity();
    let mut numbers: Vec<Ino> = volume.files.keys().copied().collect();
    while volume.counts.user < end {
        let len = random.file_blocks(cap(volume));
        while volume.live + len > target && !numbers.is_empty() {
            let position = random.below(numbers.len() as u64) as usize;
            volume.delete(numbers.swap_remove(position));
        }
        numbers.push(volume.write_file(len));
    }
}

fn v1(_phi: u64) -> u64 {
    1
}

pub fn fresh_fill(log2_blocks: u32, seed: u64) {
    println!("### Fresh fill\n");
    println!(
        "| fill, % | at k = 0, % | in segments, % | run | rd/MiB | refused |\n|---|---|---|---|---|---|"
    );
    let mut volume = Volume::new(log2_blocks, v1, 0);
    let mut random = Random::new(seed);
    for percent in [40, 90, 99, 100] {
        fill(&mut volume, &mut random, percent);
        let shape = Shape::of(&volume, volume.files.values());
        println!(
            "| {percent} | {:.1} | {:.2} | {:.0} | {:.2} | {} |",
            shape.percent(shape.home + shape.in_segments),
            shape.percent(shape.in_segments),
            shape.run(),
            shape.reads_per_mib(),
            volume.counts.refused
        );
    }
    println!();
}

pub fn aging(log2_blocks: u32, seed: u64) {
    println!("### Aging: ten device writes at constant fill\n");
    println!(
        "| fill, % | at k = 0, % | in segments, % | escaped, % | run | rd/MiB | words per search | extension bytes per file |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for percent in [80, 90, 95, 99] {
        let mut volume = Volume::new(log2_blocks, v1, 0);
        let mut random = Random::new(seed);
        fill(&mut volume, &mut random, percent);
        let before = volume.stats();
        age(&mut volume, &mut random, percent, 10);
        let after = volume.stats();
        let shape = Shape::of(&volume, volume.files.values());
        let most = volume.files.values().map(|file| file.equations.segments.len()).max();
        println!(
            "| {percent} | {:.1} | {:.2} | {:.2} | {:.0} | {:.2} | {:.0} | {:.1} |",
            shape.percent(shape.home + shape.in_segments),
            shape.percent(shape.in_segments),
            shape.percent(shape.far + shape.area),
            shape.run(),
            shape.reads_per_mib(),
            (after.words - before.words) as f64 / (after.searches - before.searches) as f64,
            shape.extension_bytes()
        );
        // From the aged state to the last block.
        volume.commit();
        fill(&mut volume, &mut random, 100);
        let (refused, most) = (volume.counts.refused, most.unwrap_or(0));
        eprintln!(
            "aged at {percent} %: most segments of a file {most}; then filled to 100 %: {refused} refused"
        );
    }
    println!();
}

pub fn growth(log2_blocks: u32) {
    println!("### Eight files grown in 64 KiB turns\n");
    println!("| reservation | ending at 25 / 75 / 95 %: run | segments per file |\n|---|---|---|");
    for reserve in [false, true] {
        let mut cells = [String::new(), String::new()];
        for (position, percent) in [25, 75, 95].into_iter().enumerate() {
            let mut volume = Volume::new(log2_blocks, v1, 0);
            volume.reserve = reserve;
            let numbers: Vec<Ino> = (0..8).map(|_| volume.create()).collect();
            let target = volume.capacity() * percent / 100;
            while volume.live + 8 * 16 <= target {
                numbers.iter().for_each(|&number| volume.append(number, 16));
            }
            let shape = Shape::of(&volume, volume.files.values());
            let slash = if position == 0 { "" } else { " / " };
            cells[0] += &format!("{slash}{:.0}", shape.run());
            cells[1] += &format!("{slash}{:.0}", shape.segments as f64 / 8.0);
        }
        let name = if reserve { "max(8 MiB, size) up to 64 MiB" } else { "none" };
        println!("| {name} | {} | {} |", cells[0], cells[1]);
    }
    println!();
}

/// Identities tried: the far shell's place is a hash of the file's.
const IDENTITIES: u64 = 6;

pub fn overwrites(log2_blocks: u32, seed: u64, churn: bool) {
    let also = if churn { ", other files churning as much" } else { "" };
    println!("### Random 4 KiB overwrites of a file of a quarter of the volume, twice its blocks{also}\n");
    println!(
        "| fill, % | shell 1 free before, % | at home, % | k = 1, % | area, % | in segments, % | rd/MiB | of these in the area | bytes read per byte | segments | WA | run after a sequential rewrite | refused |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for percent in [40, 80, 90, 95, 100] {
        let (mut before, mut after) = (Shape::default(), Shape::default());
        let (mut user, mut copied, mut refused) = (0, 0, 0);
        let mut free = 0.0;
        for identity in 0..IDENTITIES {
            let mut volume = Volume::new(log2_blocks, v1, 0);
            volume.skip_number(identity * 1_000_000);
            let mut random = Random::new(seed + identity);
            let len = (1 << log2_blocks) / 4;
            let number = volume.write_file(len);
            fill(&mut volume, &mut random, percent);
            volume.commit();
            let start = volume.counts;
            free += far_free(&mut volume, number) / IDENTITIES as f64;
            overwrite_randomly(&mut volume, &mut random, number, churn.then_some(percent));
            user += volume.counts.user - start.user;
            copied += volume.counts.copied - start.copied;
            before.join(&Shape::of(&volume, [&volume.files[&number]].into_iter()));
            for first in (0..len).step_by(BURST as usize) {
                volume.overwrite(number, first..(first + BURST).min(len));
            }
            after.join(&Shape::of(&volume, [&volume.files[&number]].into_iter()));
            refused += volume.counts.refused;
        }
        println!(
            "| {percent} | {free:.0} | {:.0} | {:.0} | {:.1} | {:.2} | {:.1} | {:.1} | {:.1} | {} | {:.2} | {:.0} | {refused} |",
            before.percent(before.home),
            before.percent(before.far),
            before.percent(before.area),
            before.percent(before.in_segments),
            before.reads_per_mib(),
            before.area_reads as f64 / before.mib as f64,
            before.read_factor(),
            before.segments / IDENTITIES,
            (user + copied) as f64 / user as f64,
            after.run(),
        );
    }
    println!();
}

/// Twice the file's blocks; with churn, as many blocks of other files come and go between commits.
fn overwrite_randomly(volume: &mut Volume, random: &mut Random, number: Ino, churn: Option<u64>) {
    let len = volume.files[&number].blocks.len() as u64;
    let mut others: Vec<Ino> = volume.files.keys().copied().filter(|&other| other != number).collect();
    let at_once = volume.overwrites_at_once();
    for _ in 0..2 * len / at_once {
        let mut indices: Vec<u64> = (0..at_once).map(|_| random.below(len)).collect();
        indices.sort_unstable();
        indices.dedup();
        volume.overwrite(number, indices);
        volume.commit();
        if let Some(percent) = churn {
            churn_others(volume, random, &mut others, percent, at_once);
        }
    }
}

fn churn_others(volume: &mut Volume, random: &mut Random, others: &mut Vec<Ino>, percent: u64, blocks: u64) {
    let target = volume.capacity() * percent / 100;
    let end = volume.counts.user + blocks;
    while volume.counts.user < end {
        let len = random.file_blocks(cap(volume)).min(4 * blocks);
        while volume.live + len > target && !others.is_empty() {
            let position = random.below(others.len() as u64) as usize;
            volume.delete(others.swap_remove(position));
        }
        others.push(volume.write_file(len));
    }
}

pub fn resave(log2_blocks: u32, seed: u64) {
    println!("### Whole-file re-save: three device writes\n");
    println!("| fill, % | at k = 0, % | in segments, % | run | rd/MiB |\n|---|---|---|---|---|");
    for percent in [80, 90, 95] {
        let mut volume = Volume::new(log2_blocks, v1, 0);
        let mut random = Random::new(seed);
        fill(&mut volume, &mut random, percent);
        let numbers: Vec<Ino> = volume.files.keys().copied().collect();
        let end = volume.counts.user + 3 * volume.capacity();
        while volume.counts.user < end {
            let number = numbers[random.below(numbers.len() as u64) as usize];
            let len = volume.files[&number].blocks.len() as u64;
            if len <= BURST {
                volume.overwrite(number, 0..len);
            } else {
                volume.truncate(number);
                volume.fill_file(number, len);
            }
        }
        let shape = Shape::of(&volume, volume.files.values());
        println!(
            "| {percent} | {:.1} | {:.2} | {:.0} | {:.2} |",
            shape.percent(shape.home + shape.in_segments),
            shape.percent(shape.in_segments),
            shape.run(),
            shape.reads_per_mib()
        );
    }
    println!();
}

pub fn strides(log2_blocks: u32, seed: u64) {
    println!(
        "### V = 1 against strides, M = 0 against 4 and 10 (2^{log2_blocks} blocks, then two device writes)\n"
    );
    println!(
        "| V | M | fill, % | at home, % | in segments, % | run | rd/MiB | descriptor pages per MiB | extension bytes per file |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    type Stride = fn(u64) -> u64;
    let rows: [(&str, Stride, u16); 6] = [
        ("1", v1, 0),
        ("2", |phi| 2.min(phi - 1), 0),
        ("phi / 3", |phi| (phi / 3).max(1), 0),
        ("1", v1, 4),
        ("phi / 3", |phi| (phi / 3).max(1), 4),
        ("1", v1, 10),
    ];
    for (name, stride, scale) in rows {
        for percent in [50, 90] {
            let mut volume = Volume::new(log2_blocks, stride, scale);
            let mut random = Random::new(seed);
            fill(&mut volume, &mut random, percent);
            age(&mut volume, &mut random, percent, 2);
            let shape = Shape::of(&volume, volume.files.values());
            println!(
                "| {name} | {scale} | {percent} | {:.1} | {:.1} | {:.1} | {:.2} | {:.1} | {:.0} |",
                shape.percent(shape.home),
                shape.percent(shape.in_segments),
                shape.run(),
                shape.reads_per_mib(),
                shape.pages_per_mib(),
                shape.extension_bytes()
            );
        }
    }
    println!();
}
