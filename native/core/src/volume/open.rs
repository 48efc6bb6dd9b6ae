//! Opening a volume: superblock, log, recovery, threads.

use crate::base::{BufPool, Code, Error, Result, checksum_self_test};
use crate::cortex::{Cortex, Geometry as CortexGeometry};
use crate::device::{Device, IoQueue, QUEUE_DEPTH};
use crate::extension::UnitAllocator;
use crate::format::{Region, layout};
use crate::log::Ring;
use crate::pages::PageCache;
use crate::superblocks::{self, Opened};
use crate::transaction::Gate;
use crate::transaction::cost;
use crate::volume::Volume;
use crate::volume::blocks::{Blocks, Coder, Discarder};
use crate::volume::commit::{Checkpointer, Committer, Image, Parts, Reaper};
use crate::volume::inode::{Agenda, Inode, Inodes, SlotPages};
use crate::volume::options::OpenOptions;
use crate::volume::read::Neighbours;
use crate::volume::report::OpenReport;
use crate::volume::rescue::{Rescue, with_hint};
use crate::volume::space::{Numbers, Space};
use crate::volume::transaction::Commits;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Share of the log that one record may take, in estimated bytes: an eighth, so that even an
/// estimate that is off by a factor of two keeps the record below a quarter.
const LOG_SHARE: u64 = 8;

impl Volume {
    /// Opens the volume on a device. Nothing is written with `read_only`: a pending log is replayed in
    /// memory. Errors: `InvalidArgument` (no volume), `NotSupported` (features), `Corrupt`, `Io`.
    /// With `rescue` it opens in spite of damage as long as a superblock and the root's anchor are left.
    pub fn open(device: Arc<dyn Device>, options: OpenOptions) -> Result<(Arc<Volume>, OpenReport)> {
        checksum_self_test()?;
        let rescue = Rescue::new(options.rescue, &options.reporter);
        if options.rescue && !options.read_only {
            return Err(Error::new(Code::InvalidArgument, "rescue is for reading only"));
        }
        let opened = superblocks::read_cut(&*device, options.known_descriptors())?;
        let read_only = options.read_only;
        let (volume, mut report, committer) = rescue
            .device(device, &opened.geometry)
            .and_then(|device| Volume::bring_up(device, options, &opened, &rescue))
            .map_err(|error| if rescue.is_on() { error } else { with_hint(error, read_only) })?;
        volume.check_system_files()?;
        let root = volume.inode(layout::INO_ROOT, 0)?;
        volume.inodes.add_lookups(&root, 1);
        if !volume.options.read_only {
            report.orphans = volume.adopt_orphans()?;
            if opened.superblock.compat & layout::COMPAT_FROZEN != 0 {
                volume.inodes.set_has_marked();
            }
            volume.start_threads(committer)?;
        }
        Ok((volume, report))
    }

    /// From the superblock in force to a volume in memory that nobody serves yet.
    fn bring_up(
        device: Arc<dyn Device>,
        options: OpenOptions,
        opened: &Opened,
        rescue: &Rescue,
    ) -> Result<(Arc<Volume>, OpenReport, Committer)> {
        if !options.read_only {
            opened.check_writable()?;
            // After a kill the host's cache may hold what the disk does not: what we choose below must
            // rest on what lasts.
            device.flush()?;
        }
        let geometry = opened.geometry.clone();
        let coder = Coder::new(options.codec_for(&geometry)?, &geometry);
        let pages = Arc::new(PageCache::new(device.clone(), &geometry, options.cached_pages));
        let (mut report, next, block) =
            super::recover::recover(&*device, &geometry, &coder, &pages, options.read_only, rescue)?;
        let mut repaired = 0;
        if !options.read_only {
            repaired = opened.repair(&*device, |error| options.reporter.error(error))?;
            report.rewritten += repaired;
        }
        let discards = options.discard && !options.read_only;
        let discarder = discards.then(|| Discarder::new(device.clone(), options.reporter.clone()));
        let mut damaged = |error| rescue.pass(error);
        let blocks = Arc::new(Blocks::open(&geometry, &pages, coder, &mut damaged, discarder)?);
        let counters = super::recover::counted(&geometry, &pages, next.counters, &options.reporter);
        let cortex = Cortex::open(
            SlotPages { pages: pages.clone() },
            CortexGeometry {
                cortex_pages: geometry.map.pages_of(Region::Cortex),
                stash_pages: geometry.map.pages_of(Region::Stash),
                hash_key: geometry.hash_key,
                used: counters.files,
            },
        )?;
        if report.unreadable > 0 {
            options.reporter.line(&format!(
                "{} blocks of the log cannot be read: what the last moments wrote may be missing",
                report.unreadable
            ));
        }
        pages.set_writable(!options.read_only);
        let log_bytes = geometry.ring_blocks() * layout::BLOCK_SIZE;
        let log_limit = log_bytes / LOG_SHARE;
        let numbers = Numbers::new(counters.next_number);
        if !options.read_only {
            numbers.persisted(block.next_number);
        }
        let commits = Arc::new(Commits::new(next.txn - 1, options.sequential, options.reporter.clone()));
        let ring = Ring::new(geometry.ring_blocks(), block.tail, next.position);
        let parts = Parts {
            device: device.clone(),
            geometry: geometry.clone(),
            pages: pages.clone(),
            blocks: blocks.clone(),
            commits: commits.clone(),
            sequential: options.sequential,
        };
        let volume = Arc::new(Volume {
            queue: IoQueue::with_depth(device.clone(), if options.sequential { 0 } else { QUEUE_DEPTH })?,
            cortex,
            space: Space::new(
                blocks.clone(),
                geometry.window_blocks,
                geometry.reserve_blocks,
                counters.live_blocks,
            ),
            blocks,
            numbers,
            units: Mutex::new(UnitAllocator::new(geometry.map.pages_of(Region::Extension), counters.units)),
            inodes: Inodes::new(options.cached_inodes, options.cached_meta),
            gate: Gate::new(next.txn, log_limit),
            buffers: BufPool::new(32 << 20),
            neighbours: Neighbours::default(),
            copies: geometry.copies() as u64,
            agenda: Agenda::default(),
            reaper: Reaper::default(),
            dirty_blocks: AtomicU64::new(0),
            dirty_limit: (log_limit / cost::block(geometry.descriptors))
                .min(geometry.window_blocks / 8)
                .max(64),
            checkpointer: Checkpointer::new(parts, ring, block),
            image: Mutex::new(Image::new(opened, repaired)),
            commits,
            threads: Mutex::default(),
            pages,
            device,
            geometry,
            reporter: options.reporter.clone(),
            options,
        });
        let committer = Committer::new(block.epoch, &next, volume.geometry.descriptors);
        Ok((volume, report, committer))
    }

    /// The files of fixed numbers are what they must be. Whoever only reads needs the root alone.
    fn check_system_files(&self) -> Result<()> {
        for number in [layout::INO_ROOT, layout::INO_ORPHANS, layout::INO_PUBLIC_IDS] {
            match self.inode(number, 0).and_then(|inode| check_system_file(&inode)) {
                Ok(()) => {}
                Err(error) if number == layout::INO_ROOT || !self.options.read_only => {
                    let text = format!("system file {number} is not what it must be: {error}");
                    return Err(Error::new(Code::Corrupt, text));
                }
                Err(error) => self.reporter.error(&error),
            }
        }
        Ok(())
    }

    fn start_threads(self: &Arc<Volume>, committer: Committer) -> Result<()> {
        let spawn = |name: &str, body: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new()
                .name(name.into())
                .spawn(body)
                .map_err(|error| Error::new(Code::Io, format!("cannot start a thread: {error}")))
        };
        let (one, two) = (self.clone(), self.clone());
        let mut threads = self.threads.lock();
        threads.push(spawn("hn4-commit", Box::new(move || guarded(&one, || committer.run(&one))))?);
        threads.push(spawn("hn4-checkpoint", Box::new(move || guarded(&two, || two.checkpointer.run())))?);
        Ok(())
    }
}

/// Corrupt: the file is no directory, or one that goes away.
fn check_system_file(inode: &Arc<Inode>) -> Result<()> {
    let file = inode.share();
    let leaving = file.has(layout::DATA_CLASS_TOMBSTONE | layout::DATA_CLASS_TRUNCATING);
    if inode.is_directory() && file.slot.attributes.nlink >= 2 && !leaving {
        return Ok(());
    }
    Err(Error::new(Code::Corrupt, format!("file {}: no directory that stays", inode.ino)))
}

/// Runs a thread of the volume. If it dies, the volume stops writing instead of hanging its callers.
fn guarded(volume: &Volume, body: impl FnOnce()) {
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
    if ended.is_err() {
        let text = "a thread of the volume panicked: a defect of hn4, please report it";
        volume.commits.fail(&Error::new(Code::Io, text));
        volume.abandon();
    }
}
