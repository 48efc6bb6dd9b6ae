//! Mounts an in-memory file system until it is unmounted: `memfs DIR [option,option...]`.
//!
//! For profiling the session and for running POSIX suites against it. Options: those of mount(8)
//! that `MountFlag` knows, `ro`, `allow_other`, `default_permissions`, `auto_unmount`,
//! `writeback`, `open` (serve OPEN), `acl`, `threads=N`, `transport=auto|uring|dev`, `plus` (attributes in every listing),
//! `stall=NAME` (the operation of that name never ends), `dev=PATH` (mount as fuseblk on a block device, which is not touched).

use hn4_core::testing::MemVfs;
use hn4_fuse::{Cache, MountFlag, MountOptions, ReadDirPlus, Session, Settings, TransportChoice};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

/// Blocks of 4096 bytes: 4 GiB, of which only what is written takes memory.
const BLOCKS: u64 = 1 << 20;

fn parse(
    text: &str,
    options: &mut MountOptions,
    settings: &mut Settings,
    vfs: &MemVfs,
) -> Result<(), String> {
    for option in text.split(',').filter(|option| !option.is_empty()) {
        match option.split_once('=').unwrap_or((option, "")) {
            ("ro", _) => options.read_only = true,
            ("allow_other", _) => options.allow_other = true,
            ("default_permissions", _) => options.default_permissions = true,
            ("auto_unmount", _) => options.auto_unmount = true,
            ("threads", count) => options.threads = count.parse().map_err(|_| format!("threads={count}"))?,
            ("transport", name) => {
                options.transport = TransportChoice::parse(name).ok_or(format!("transport={name}"))?;
            }
            ("stall", name) => stall(vfs, name.to_owned()),
            ("dev", path) => {
                options.source = path.into();
                options.block_device = true;
            }
            ("writeback", _) => settings.cache = Cache::WriteBack,
            ("plus", _) => settings.readdirplus = ReadDirPlus::Always,
            ("open", _) => settings.no_open = false,
            ("acl", _) => settings.posix_acl = true,
            _ => options.flags.push(MountFlag::parse(option).ok_or(format!("unknown option {option}"))?),
        }
    }
    Ok(())
}

fn stall(vfs: &MemVfs, name: String) {
    let hook = move |operation: &str| {
        if operation == name {
            loop {
                std::thread::park();
            }
        }
        Ok(())
    };
    vfs.set_hook(Some(Box::new(hook)));
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let mountpoint = arguments.next().ok_or("usage: memfs DIR [option,option...]")?;
    let mut options =
        MountOptions { source: "memfs".into(), mountpoint: mountpoint.into(), ..MountOptions::default() };
    let mut settings = Settings::default();
    let vfs = Arc::new(MemVfs::new(BLOCKS));
    parse(&arguments.next().unwrap_or_default(), &mut options, &mut settings, &vfs)?;
    let session = Session::mount(vfs, &options, settings).map_err(|error| error.to_string())?;
    // Nobody may be reading; that does not end the mount.
    let _ =
        writeln!(io::stdout(), "mounted on {}, {:?}", session.mountpoint().display(), session.transport());
    session.wait().map_err(|error| error.to_string())?;
    for (name, count) in session.counters().used() {
        let _ = writeln!(io::stdout(), "{name:>18} {count}");
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("memfs: {text}");
            ExitCode::FAILURE
        }
    }
}
