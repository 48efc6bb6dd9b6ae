//! Ends the process, with what is known, when nothing has moved for a minute: a deadlock would hang
//! the test for ever.

use hn4_core::vfs::{FileSystem, Vfs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

const PATIENCE: u32 = 60;

pub struct Watchdog {
    /// Operations done.
    pub progress: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watchdog {
    pub fn start(fs: Arc<FileSystem>) -> Watchdog {
        let (progress, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (seen, ends) = (progress.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let (mut last, mut quiet) = (0, 0);
            while !ends.load(Ordering::Relaxed) {
                std::thread::park_timeout(Duration::from_secs(1));
                let now = seen.load(Ordering::Relaxed);
                quiet = if now == last { quiet + 1 } else { 0 };
                last = now;
                if quiet >= PATIENCE {
                    eprintln!("no progress for {PATIENCE} s after {now} operations");
                    eprintln!("{:?}\n{:?}", fs.volume.stats(), fs.statfs());
                    print_threads();
                    std::process::abort();
                }
            }
        });
        Watchdog { progress, stop, thread }
    }

    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        self.thread.join().expect("the watchdog ends");
    }
}

/// Names of all threads and what the kernel has them wait for.
fn print_threads() {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return };
    for task in tasks.flatten() {
        let read = |file: &str| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        eprintln!("{}: {} {}", task.file_name().to_string_lossy(), read("comm").trim(), read("wchan"));
    }
}
