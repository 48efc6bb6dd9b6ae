//! Mounts a volume without Node, for profiling: `volume IMAGE DIR [format]`. `format` makes the image
//! first (its size must be set already).

use hn4_core::device::{Device, FileDevice, OpenFile};
use hn4_core::testing::{FormatOptions, format_volume};
use hn4_core::vfs::FileSystem;
use hn4_core::volume::{OpenOptions, Reporter, Volume};
use hn4_fuse::{MountOptions, Session, Settings};
use std::process::ExitCode;
use std::sync::Arc;

fn say(line: &str) {
    eprintln!("volume: {line}");
}

fn run(arguments: &[String]) -> Result<(), String> {
    let [image, mountpoint, rest @ ..] = arguments else {
        return Err("usage: volume IMAGE DIR [format]".into());
    };
    let text = |error: hn4_core::base::Error| error.to_string();
    let device = Arc::new(FileDevice::open(image.as_ref(), OpenFile::READ_WRITE).map_err(text)?);
    if rest.iter().any(|word| word == "format") {
        format_volume(&*device, &FormatOptions::new(device.block_count())).map_err(text)?;
    }
    let options = OpenOptions { reporter: Reporter::new(say), ..OpenOptions::default() };
    let (volume, report) = Volume::open(device, options).map_err(text)?;
    eprintln!("{report:?}");
    let mount = MountOptions {
        source: image.into(),
        mountpoint: mountpoint.into(),
        default_permissions: true,
        allow_other: true,
        ..MountOptions::default()
    };
    let session = Session::mount(Arc::new(FileSystem::new(volume.clone())), &mount, Settings::default())
        .map_err(|e| e.to_string())?;
    session.wait().map_err(|error| error.to_string())?;
    for (name, count) in session.counters().used() {
        eprintln!("{name:>18} {count}");
    }
    eprintln!("{:?}", volume.stats());
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("volume: {text}");
            ExitCode::FAILURE
        }
    }
}
