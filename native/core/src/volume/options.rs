//! How a volume is opened.

use super::report::Reporter;
use crate::base::Result;
use crate::format::{BlockCodec, DescriptorTable, Geometry, PlainCodec, unknown_descriptors};
use std::sync::Arc;

/// How a volume is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    pub read_only: bool,
    /// With `read_only`: opens in spite of damage; what is missing is named to `reporter`.
    pub rescue: bool,
    pub noatime: bool,
    /// The host is told of freed blocks as soon as they may be used again.
    pub discard: bool,
    /// Clean metadata pages kept in memory (4 KiB each).
    pub cached_pages: usize,
    /// Unused inodes kept in memory.
    pub cached_inodes: usize,
    /// Unchanged META blocks kept in memory (4 KiB each).
    pub cached_meta: usize,
    /// For tests that want the same trace twice: no timers, no threads but the commit thread; every
    /// call that asks it for something waits for it.
    pub sequential: bool,
    /// Lines for the log of the one who mounts.
    pub reporter: Reporter,
    /// Makes the codec of volumes that are not plain.
    #[cfg(any(test, feature = "testing"))]
    pub codec: Option<crate::format::MakeCodec>,
}

impl Default for OpenOptions {
    fn default() -> OpenOptions {
        OpenOptions {
            read_only: false,
            rescue: false,
            noatime: false,
            discard: false,
            cached_pages: 16_384,
            cached_inodes: 100_000,
            cached_meta: 8192,
            sequential: false,
            reporter: Reporter::default(),
            #[cfg(any(test, feature = "testing"))]
            codec: None,
        }
    }
}

impl OpenOptions {
    /// The descriptors of the volumes that there is a codec for.
    pub(super) fn known_descriptors(&self) -> &'static [DescriptorTable] {
        #[cfg(any(test, feature = "testing"))]
        if self.codec.is_some() {
            return &DescriptorTable::ALL;
        }
        &[DescriptorTable::PLAIN]
    }

    /// The codec of the volume's blocks. NotSupported: it needs another one.
    pub(super) fn codec_for(&self, geometry: &Geometry) -> Result<Arc<dyn BlockCodec>> {
        if geometry.descriptors == DescriptorTable::PLAIN {
            return Ok(Arc::new(PlainCodec));
        }
        #[cfg(any(test, feature = "testing"))]
        if let Some(codec) = self.codec.map(|make| make(geometry))
            && codec.descriptors() == geometry.descriptors
        {
            return Ok(codec);
        }
        Err(unknown_descriptors(geometry.descriptors.size))
    }
}
