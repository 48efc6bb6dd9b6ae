//! One workload on two mounted volumes in turn, and what it cost each: the client of scripts/cost.mjs.
//!
//! ```text
//! cost list
//! cost run WORKLOAD FIRST NODE  HN4 DEVICE DIR  HN4 DEVICE DIR
//! ```
//!
//! `list` prints a line per workload: volume, name, operations, unit. `run` mounts both block devices with
//! `NODE HN4 mount -f`, lets the sides take turns of a few milliseconds, makes both durable (syncfs), unmounts.
//! Whatever else the machine does meets both sides alike. FIRST (0 or 1) is the side of the first turn.
//!
//! Its output is raw figures, `SIDE WHEN WHAT NUMBER...`, for scripts/cost/figures.mjs. WHEN is `begin` (the
//! mount answers), `worked` (made durable) or `ended` (the daemon has gone).

mod daemon;
mod work;

use daemon::{Daemon, cpu_ns};
use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use work::{Step, WORKLOADS, Workload};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const USAGE: &str = "usage: cost list | cost run WORKLOAD FIRST NODE HN4 DEVICE DIR HN4 DEVICE DIR";

/// A volume of the comparison, and what the client itself spent on it.
struct Side {
    daemon: Daemon,
    dir: PathBuf,
    /// /sys/block/NAME/stat
    device_stat: PathBuf,
    client_ns: u64,
    wall: Duration,
}

impl Side {
    fn start(node: &Path, [hn4, device, dir]: [&Path; 3]) -> Outcome<Side> {
        let name = device.file_name().ok_or(USAGE)?;
        Ok(Side {
            daemon: Daemon::start(node, hn4, device, dir)?,
            dir: dir.into(),
            device_stat: Path::new("/sys/block").join(name).join("stat"),
            client_ns: 0,
            wall: Duration::ZERO,
        })
    }

    /// Does `what` and adds its time.
    fn time<T>(&mut self, what: impl FnOnce(&Path) -> Outcome<T>) -> Outcome<T> {
        let (cpu, wall) = (cpu_ns(libc::CLOCK_THREAD_CPUTIME_ID)?, Instant::now());
        let done = what(&self.dir)?;
        self.client_ns += cpu_ns(libc::CLOCK_THREAD_CPUTIME_ID)? - cpu;
        self.wall += wall.elapsed();
        Ok(done)
    }

    fn print_device(&self, side: usize, when: &str) -> Outcome {
        println!("{side} {when} device {}", fs::read_to_string(&self.device_stat)?.trim());
        Ok(())
    }
}

/// Makes the volume of a directory durable.
fn sync(dir: &Path) -> Outcome {
    Ok(rustix::fs::syncfs(File::open(dir)?)?)
}

fn run(workload: &Workload, first: usize, sides: &mut [Side; 2]) -> Outcome {
    for (i, side) in sides.iter().enumerate() {
        println!("{i} begin cpu_ns {}", side.daemon.cpu_ns()?);
        for [voluntary, forced] in side.daemon.switches()? {
            println!("{i} begin switches {voluntary} {forced}");
        }
        side.print_device(i, "begin")?;
    }
    let mut jobs: [Step; 2] = [sides[0].time(workload.begin)?, sides[1].time(workload.begin)?];
    for (turn, start) in (0..workload.ops).step_by(workload.turn as usize).enumerate() {
        let end = workload.ops.min(start + workload.turn);
        for i in [(first + turn) % 2, (first + turn + 1) % 2] {
            let job = &mut jobs[i];
            sides[i].time(|dir| {
                (start..end).try_for_each(job)?;
                if end % workload.sync == 0 { sync(dir) } else { Ok(()) }
            })?;
        }
    }
    for (side, job) in sides.iter_mut().zip(jobs) {
        side.time(|dir| {
            // Closes its files.
            drop(job);
            sync(dir)
        })?;
    }
    for (i, side) in sides.iter().enumerate() {
        println!("{i} worked cpu_ns {}", side.daemon.cpu_ns()?);
        println!("{i} worked client_ns {}", side.client_ns);
        println!("{i} worked wall_ns {}", side.wall.as_nanos());
        side.print_device(i, "worked")?;
    }
    Ok(())
}

fn main_of(arguments: &[&str]) -> Outcome {
    match arguments {
        ["list"] => {
            for Workload { volume, name, ops, unit, .. } in WORKLOADS {
                println!("{volume} {name} {ops} {unit}");
            }
            Ok(())
        }
        ["run", name, first @ ("0" | "1"), node, a @ .., hn4, device, dir] if a.len() == 3 => {
            let workload = WORKLOADS.iter().find(|w| w.name == *name).ok_or("no such workload")?;
            let first = usize::from(*first == "1");
            let node = Path::new(node);
            let mut sides = [
                Side::start(node, [a[0], a[1], a[2]].map(Path::new))?,
                Side::start(node, [*hn4, *device, *dir].map(Path::new))?,
            ];
            for side in &mut sides {
                side.daemon.wait_ready()?;
            }
            run(workload, first, &mut sides)?;
            for (i, side) in sides.into_iter().enumerate() {
                let stat = side.device_stat.clone();
                let used = side.daemon.end(&side.dir)?;
                println!("{i} ended cpu_us {}", used.cpu_us);
                println!("{i} ended switches {} {}", used.switches[0], used.switches[1]);
                println!("{i} ended device {}", fs::read_to_string(stat)?.trim());
            }
            Ok(())
        }
        _ => Err(USAGE.into()),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match main_of(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cost: {error}");
            ExitCode::FAILURE
        }
    }
}
