//! A mount's daemon as a child of this process: so its whole CPU time, the unmount's too, is known at its end.

use crate::Outcome;
use std::fs;
use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub struct Daemon {
    child: Child,
    pid: libc::pid_t,
    /// Where it says that the mount answers.
    ready: UnixDatagram,
    path: PathBuf,
}

/// What a process used from its start to its end.
pub struct Used {
    pub cpu_us: i64,
    /// Voluntary, forced.
    pub switches: [i64; 2],
}

/// Reads a CPU clock.
pub fn cpu_ns(clock: libc::clockid_t) -> io::Result<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for the call, which keeps no pointer to it.
    if unsafe { libc::clock_gettime(clock, &mut time) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

impl Daemon {
    /// Starts a mount of `device` at `dir`.
    pub fn start(node: &Path, hn4: &Path, device: &Path, dir: &Path) -> Outcome<Daemon> {
        let path = dir.with_extension("ready");
        let ready = UnixDatagram::bind(&path)?;
        ready.set_read_timeout(Some(Duration::from_millis(100)))?;
        let child = Command::new(node)
            .arg(hn4)
            .args(["mount", "-q", "-f"])
            .args([device, dir])
            .env("NOTIFY_SOCKET", &path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let pid = child.id() as libc::pid_t;
        Ok(Daemon { child, pid, ready, path })
    }

    /// Returns when the mount answers: the daemon tells the service manager, which is us. A daemon that ends
    /// instead has said why on stderr.
    pub fn wait_ready(&mut self) -> Outcome {
        loop {
            match self.ready.recv(&mut [0; 64]) {
                Ok(_) => return Ok(fs::remove_file(&self.path)?),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => return Err(error.into()),
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("a daemon that should mount ended: {status}").into());
            }
        }
    }

    /// CPU time of all its threads, those that have ended too: utime + stime of /proc/PID/stat, but in ns.
    pub fn cpu_ns(&self) -> io::Result<u64> {
        // The process CPU clock of any process: clock_getcpuclockid(3), CPUCLOCK_SCHED of the kernel.
        cpu_ns((!self.pid << 3) | 2)
    }

    /// Context switches, voluntary and forced, of each thread there is now.
    pub fn switches(&self) -> Outcome<Vec<[u64; 2]>> {
        let mut all = Vec::new();
        for task in fs::read_dir(format!("/proc/{}/task", self.pid))? {
            let status = fs::read_to_string(task?.path().join("status"))?;
            let field = |name: &str| {
                let line =
                    status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no context switches")?;
                Ok::<u64, Box<dyn std::error::Error>>(line.trim().parse()?)
            };
            all.push([field("voluntary_ctxt_switches:")?, field("nonvoluntary_ctxt_switches:")?]);
        }
        Ok(all)
    }

    /// Unmounts and waits for the end of the daemon.
    pub fn end(self, dir: &Path) -> Outcome<Used> {
        // For a block device umount(8) returns when everything is written; `hn4 umount` would read the device.
        let status = Command::new("umount").arg(dir).status()?;
        if !status.success() {
            return Err(format!("umount {}: {status}", dir.display()).into());
        }
        let (mut status, mut usage) = (0, MaybeUninit::<libc::rusage>::zeroed());
        // SAFETY: both places are valid for the call; the process is our child and was not waited for.
        while unsafe { libc::wait4(self.pid, &mut status, 0, usage.as_mut_ptr()) } != self.pid {
            let error = io::Error::last_os_error();
            if error.kind() != ErrorKind::Interrupted {
                return Err(error.into());
            }
        }
        // SAFETY: zeroed at first, which is a valid value, and filled in by wait4.
        let usage = unsafe { usage.assume_init() };
        if status != 0 {
            return Err(format!("the daemon of {} ended with wait status {status}", dir.display()).into());
        }
        let us = |time: libc::timeval| time.tv_sec * 1_000_000 + time.tv_usec;
        Ok(Used {
            cpu_us: us(usage.ru_utime) + us(usage.ru_stime),
            switches: [usage.ru_nvcsw, usage.ru_nivcsw],
        })
    }
}
