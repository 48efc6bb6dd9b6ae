//! Telling the host that blocks are unused.

use crate::base::{BLOCK_SIZE, BlockNumber, Result};
use crate::device::host::{error, sys};
use std::fs::File;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};

/// How this file discards; stops trying when the host cannot.
pub(super) struct Discarder {
    is_block_device: bool,
    supported: AtomicBool,
}

impl Discarder {
    pub(super) fn new(is_block_device: bool) -> Discarder {
        Discarder { is_block_device, supported: AtomicBool::new(true) }
    }

    pub(super) fn is_block_device(&self) -> bool {
        self.is_block_device
    }

    pub(super) fn discard(&self, file: &File, at: BlockNumber, count: u64) -> Result<()> {
        let bytes = count * BLOCK_SIZE as u64;
        while bytes > 0 && self.supported.load(Ordering::Relaxed) {
            let done = if self.is_block_device {
                sys::discard_range(file, at.byte(), bytes)
            } else {
                sys::punch_hole(file, at.byte(), bytes)
            };
            let Err(cause) = done else { break };
            match cause.raw_os_error() {
                _ if cause.kind() == ErrorKind::Interrupted => {}
                // The hole itself may need space in the host's tables; the blocks just stay.
                Some(libc::ENOSPC | libc::EDQUOT) => break,
                Some(libc::EOPNOTSUPP | libc::ENOSYS | libc::ENOTTY | libc::EPERM | libc::EINVAL) => {
                    self.supported.store(false, Ordering::Relaxed);
                }
                _ => return Err(error::transfer("discard", at.byte(), bytes as usize, &cause)),
            }
        }
        Ok(())
    }
}
