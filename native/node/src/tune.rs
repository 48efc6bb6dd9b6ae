//! Changing what a volume is called, without a mount.

use crate::failure::Failure;
use crate::host::{Outcome, outcome};
use crate::mount::open_device;
use crate::path::host_path;
use hn4_core::device::Device;
use hn4_core::format::superblock::set_label;
use hn4_core::superblocks;
use hn4_core::volume::{OpenOptions, Volume};
use napi::bindgen_prelude::{Buffer, Utf16String};
use napi_derive::napi;
use std::sync::Arc;

/// Gives a volume another label (UTF-8, without NUL) or UUID (16 bytes), under its exclusive lock.
/// Undefined, or a failure: `Busy`, what opening finds, `InvalidArgument` for bytes that do not fit.
#[napi(ts_return_type = "undefined | Failure")]
pub fn tune_volume(image: Utf16String, label: Option<Buffer>, uuid: Option<Buffer>) -> Outcome<()> {
    outcome(|| {
        let device: Arc<dyn Device> = Arc::new(open_device(&host_path(&image), false)?);
        // Whether the superblock is that of the volume, only its log and pages can say. Nothing is written.
        let look = OpenOptions { read_only: true, ..OpenOptions::default() };
        Volume::open(device.clone(), look)?.0.close()?;
        let opened = superblocks::read(&*device)?;
        opened.check_writable()?;
        let mut superblock = opened.superblock;
        if let Some(label) = label {
            set_label(&mut superblock, &label)?;
        }
        if let Some(uuid) = uuid {
            let bytes = <[u8; 16]>::try_from(&*uuid);
            superblock.uuid = bytes.map_err(|_| Failure::new("EINVAL", "a UUID has 16 bytes"))?;
        }
        Ok(superblocks::write(&*device, &mut superblock)?)
    })
}
