//! Lets a test act in the middle of a call.

use crate::base::{BlockNumber, Result};
use crate::device::{Device, Outside};
use parking_lot::Mutex;
use std::sync::Arc;

/// What a hook is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Flush,
    Discard,
}

type Hook = Box<dyn FnOnce() + Send>;

/// Passes everything on; runs a hook once, when the call it is for has begun and nothing of it has happened.
pub struct HookedDevice {
    inner: Arc<dyn Device>,
    hook: Mutex<Option<(Call, Hook)>>,
}

impl HookedDevice {
    pub fn new(inner: Arc<dyn Device>) -> HookedDevice {
        HookedDevice { inner, hook: Mutex::new(None) }
    }
    /// At the next such call.
    pub fn at(&self, call: Call, hook: impl FnOnce() + Send + 'static) {
        *self.hook.lock() = Some((call, Box::new(hook)));
    }
    /// Whether no hook waits.
    pub fn has_run(&self) -> bool {
        self.hook.lock().is_none()
    }
    fn begin(&self, call: Call) {
        let due = {
            let mut hook = self.hook.lock();
            if hook.as_ref().is_some_and(|(wanted, _)| *wanted == call) { hook.take() } else { None }
        };
        if let Some((_, hook)) = due {
            hook();
        }
    }
}

impl Device for HookedDevice {
    fn block_count(&self) -> u64 {
        self.inner.block_count()
    }
    fn read(&self, at: BlockNumber, buf: &mut [u8]) -> Result<()> {
        self.inner.read(at, buf)
    }
    fn write(&self, at: BlockNumber, buf: &[u8]) -> Result<()> {
        self.inner.write(at, buf)
    }
    fn write_vectored(&self, at: BlockNumber, bufs: &[&[u8]]) -> Result<()> {
        self.inner.write_vectored(at, bufs)
    }
    fn flush(&self) -> Result<()> {
        self.begin(Call::Flush);
        self.inner.flush()
    }
    fn discard(&self, at: BlockNumber, count: u64) -> Result<()> {
        self.begin(Call::Discard);
        self.inner.discard(at, count)
    }
    fn read_only(&self) -> bool {
        self.inner.read_only()
    }
    fn outside(&self, thorough: bool) -> Result<Outside> {
        self.inner.outside(thorough)
    }
}
