//! Which processors the kernel counts: it has a queue for each that may ever be there.

use std::fs;
use std::io;

/// Largest number of processors that is believed (CONFIG_NR_CPUS is 8192 at most).
const MAX: usize = 8192;

/// Number of queues: that of `possible` processors, which is what the kernel takes (num_possible_cpus).
pub fn possible() -> io::Result<usize> {
    listed("/sys/devices/system/cpu/possible").map(|cpus| cpus.len())
}

/// The processors that are there now.
pub fn online() -> io::Result<Vec<usize>> {
    listed("/sys/devices/system/cpu/online")
}

fn listed(path: &str) -> io::Result<Vec<usize>> {
    let text = fs::read_to_string(path)?;
    parse(text.trim()).ok_or_else(|| io::Error::other(format!("{path}: {text:?} is no list of processors")))
}

/// A list as `0-3,8`, in ascending order and not empty.
fn parse(text: &str) -> Option<Vec<usize>> {
    let mut cpus = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        let follows = cpus.last().is_none_or(|&before| before < first);
        if !follows || first > last || last >= MAX {
            return None;
        }
        cpus.extend(first..=last);
    }
    Some(cpus)
}

/// Keeps the calling thread on one processor. It is a wish: a processor that goes away takes it back.
pub fn pin(cpu: usize) {
    // SAFETY: `set` is plain data of the size that is told, and CPU_SET stays inside it (cpu < CPU_SETSIZE).
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        if cpu < libc::CPU_SETSIZE as usize {
            libc::CPU_SET(cpu, &mut set);
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_processors() {
        assert_eq!(parse("0"), Some(vec![0]));
        assert_eq!(parse("0-2,5,7-8"), Some(vec![0, 1, 2, 5, 7, 8]));
        for bad in ["", "a", "3-1", "1,1", "2-3,1", "0-99999999999", "0-8192", "0,"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_online_is_possible() {
        let (possible, online) = (possible().expect("possible"), online().expect("online"));
        assert!(online.iter().all(|&cpu| cpu < possible));
    }
}
