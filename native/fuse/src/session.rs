//! A mounted session: threads between mount and unmount.

use crate::bdi::set_read_ahead;
use crate::connection::Connection;
use crate::counters::Counters;
use crate::handler::{Handler, READ_AHEAD, Settings};
use crate::lifecycle::{Lifecycle, Phase};
use crate::mount::{Attached, Device, MountError, MountOptions, Step, attach, is_root};
use crate::transport::uring::{self, Share, Switch};
use crate::transport::{Transport, TransportChoice, clone_channel, serve};
use hn4_core::base::{Error, Ino, shown};
use hn4_core::vfs::{Synced, Vfs};
use parking_lot::Mutex;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::AcqRel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long the kernel may take to send INIT.
const INIT_LIMIT: Duration = Duration::from_secs(30);

/// A mount and the threads that serve it. Dropping it unmounts lazily and does not wait.
pub struct Session {
    attached: Attached,
    connection: Arc<Connection>,
    /// What our mount looks like from outside: it is not unmounted when something else is there.
    number: Option<Device>,
    lifecycle: Arc<Lifecycle>,
    counters: Arc<Counters>,
    /// With the number of threads for it.
    uring: Option<(Arc<Switch>, usize)>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the threads of a session share.
struct Crew<V: Vfs> {
    handler: Handler<V>,
    connection: Arc<Connection>,
    alive: AtomicUsize,
}

/// Held by each thread; the last one to go closes the volume, however the threads ended.
struct Shift<V: Vfs>(Arc<Crew<V>>);

impl<V: Vfs> Shift<V> {
    fn serve(self, work: impl FnOnce(&Handler<V>) -> io::Result<()>) {
        let handler = &self.0.handler;
        if let Err(error) = work(handler) {
            handler.log(&format!("a thread of the session ended: {error}"));
        }
    }
}

impl<V: Vfs> Drop for Shift<V> {
    fn drop(&mut self) {
        // Without INIT no queue is served any more: those who wait for it must not wait for ever.
        self.0.handler.init_answered();
        if self.0.alive.fetch_sub(1, AcqRel) == 1 {
            self.0.connection.close();
            let handler = &self.0.handler;
            handler.lifecycle.enter(Phase::Ended(handler.close()));
        }
    }
}

impl Session {
    /// Mounts `vfs` and returns once the mount answers. After an error nothing stays mounted;
    /// `Vfs::shutdown` was then called if a thread had started.
    pub fn mount<V: Vfs>(
        vfs: Arc<V>,
        options: &MountOptions,
        settings: Settings,
    ) -> Result<Session, MountError> {
        let log = settings.log.clone();
        let wanted = shares(options).map_err(|error| MountError::new(Step::Transport, options, error))?;
        let switch = (!wanted.is_empty()).then(|| Arc::new(Switch::new(wanted.len())));
        let uring = switch.clone().map(|switch| (switch, wanted.len()));
        let connection = Arc::new(Connection::default());
        let vfs = Arc::new(Synced::new(vfs, options.synchronous()));
        let handler = Handler::new(vfs, settings, connection.clone(), switch);
        let (lifecycle, counters) = (handler.lifecycle.clone(), handler.counters.clone());
        let (attached, device) = attach(options)?;
        let queues: io::Result<Vec<_>> =
            wanted.into_iter().map(|share| Ok((share, device.try_clone()?))).collect();
        let started = channels(options, &device).and_then(|channels| Ok((channels, queues?)));
        connection.open(File::from(device));
        let threads = Mutex::default();
        let mut session = Session {
            attached,
            connection: connection.clone(),
            number: None,
            lifecycle,
            counters,
            uring,
            threads,
        };
        let started = started.and_then(|(channels, queues)| start(handler, channels, queues, connection));
        // On an error the session is dropped, and with it the mount.
        *session.threads.lock() = started.map_err(|error| MountError::new(Step::Threads, options, error))?;
        session.wait_started().map_err(|error| MountError::new(Step::Negotiation, options, error))?;
        if let (TransportChoice::Uring, Transport::Dev { reason }) = (options.transport, session.transport())
        {
            let error = io::Error::other(reason.unwrap_or_default());
            return Err(MountError::new(Step::Transport, options, error));
        }
        session.number = session.attached.device().ok();
        if let (true, Some(number)) = (is_root(), session.number) {
            if let Err(error) = set_read_ahead(number, options.block_device, READ_AHEAD >> 10) {
                log(&format!("readahead stays at the kernel's default: {error}"));
            }
        }
        Ok(session)
    }

    fn wait_started(&self) -> io::Result<()> {
        match self.lifecycle.wait_started(INIT_LIMIT) {
            Phase::Serving => Ok(()),
            Phase::Refused(sentence) => Err(io::Error::other(sentence)),
            Phase::Ended(_) => Err(io::Error::other("unmounted before it answered")),
            Phase::Starting => Err(io::Error::from_raw_os_error(libc::ETIMEDOUT)),
        }
    }

    /// The directory mounted on, absolute.
    pub fn mountpoint(&self) -> &Path {
        self.attached.mountpoint()
    }

    /// Requests served so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How requests come. Waits for the answer to INIT, which `mount` has seen coming.
    pub fn transport(&self) -> Transport {
        match &self.uring {
            None => Transport::Dev { reason: None },
            Some((switch, threads)) => match switch.outcome() {
                Ok(()) => Transport::Uring { threads: *threads },
                Err(reason) => Transport::Dev { reason: Some(reason) },
            },
        }
    }

    /// Waits until the mount is gone, the volume closed and the session's own reference to it
    /// dropped; returns the result of `Vfs::shutdown`. Any number of threads may wait.
    pub fn wait(&self) -> Result<(), Error> {
        let result = self.lifecycle.wait_ended();
        // The lock is held meanwhile, so that every waiter returns after the last thread.
        let mut threads = self.threads.lock();
        for thread in threads.drain(..) {
            // A panic was reported when it happened.
            let _ = thread.join();
        }
        result
    }

    /// The result of `Vfs::shutdown` if the session has ended.
    pub fn ended(&self) -> Option<Result<(), Error>> {
        match self.lifecycle.phase() {
            Phase::Ended(result) => Some(result),
            _ => None,
        }
    }

    /// Unmounts. `lazy`: off the tree at once, and the session ends when the last open file is
    /// closed; otherwise EBUSY while anything is open. Follow with [`Session::wait`].
    pub fn unmount(&self, lazy: bool) -> io::Result<()> {
        if self.ended().is_some() {
            return Ok(());
        }
        if self.number.is_some() && self.attached.device().ok() != self.number {
            return Err(io::Error::other(format!("{} holds another mount", shown(self.mountpoint()))));
        }
        self.attached.detach(lazy)
    }

    /// Tells the kernel that a file changed behind its back: attributes, and data from byte
    /// `offset` on, `length` bytes of it (0: all; negative `offset`: attributes only). Not to be
    /// called by a thread that serves a request: it waits for locks the kernel holds for one.
    pub fn invalidate_inode(&self, ino: Ino, offset: i64, length: i64) -> io::Result<()> {
        self.connection.invalidate_inode(ino, offset, length)
    }

    /// Tells the kernel that a name came, went or changed behind its back. The same warning.
    pub fn invalidate_entry(&self, parent: Ino, name: &[u8]) -> io::Result<()> {
        self.connection.invalidate_entry(parent, name)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.ended().is_none() {
            // Nobody is left to be told; a mount that is already gone is fine.
            let _ = self.unmount(true);
        }
    }
}

/// A channel for each thread.
fn channels(options: &MountOptions, device: &OwnedFd) -> io::Result<Vec<OwnedFd>> {
    let count = match options.threads {
        0 => thread::available_parallelism().map_or(4, |cpus| cpus.get().max(4)),
        count => count.max(2),
    };
    let mut channels = vec![device.try_clone()?];
    for _ in 1..count {
        // Without access to /dev/fuse the threads share the one channel.
        channels.push(clone_channel(device).or_else(|_| device.try_clone())?);
    }
    Ok(channels)
}

/// What threads of io_uring queues are to serve; empty: none are wanted, or none are possible here.
fn shares(options: &MountOptions) -> io::Result<Vec<Share>> {
    match options.transport {
        TransportChoice::Dev => Ok(Vec::new()),
        // The kernel lets go of the rings of a dead process after its files: fusermount3, which looks once, would
        // find the mount alive and leave it.
        TransportChoice::Uring if options.auto_unmount => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "auto_unmount works over /dev/fuse only"))
        }
        TransportChoice::Auto if options.auto_unmount => Ok(Vec::new()),
        TransportChoice::Uring => uring::shares(options.threads),
        TransportChoice::Auto => Ok(uring::shares(options.threads).unwrap_or_default()),
    }
}

/// Starts a thread for each channel, and one for each share of io_uring queues.
fn start<V: Vfs>(
    handler: Handler<V>,
    channels: Vec<OwnedFd>,
    queues: Vec<(Share, OwnedFd)>,
    connection: Arc<Connection>,
) -> io::Result<Vec<JoinHandle<()>>> {
    let alive = AtomicUsize::new(channels.len() + queues.len());
    let crew = Arc::new(Crew { handler, connection, alive });
    // All shifts before the first thread: one that cannot be started still counts as ended.
    let readers: Vec<_> = channels.into_iter().map(|channel| (channel, Shift(crew.clone()))).collect();
    let servers: Vec<_> = queues.into_iter().map(|queue| (queue, Shift(crew.clone()))).collect();
    // Only the connection: the threads that serve keep the volume.
    let (connection, log) = (crew.connection.clone(), crew.handler.log_sink());
    drop(crew);
    let named = |name: String| thread::Builder::new().name(name);
    let mut threads =
        vec![named("hn4-refused".into()).spawn(move || connection.forget_refused(|line| log(line)))?];
    // The readers last: INIT waits for the rings.
    for (index, ((share, device), shift)) in servers.into_iter().enumerate() {
        let work = move || shift.serve(|handler| uring::serve(&device, &share, handler));
        threads.push(named(format!("hn4-ring-{index}")).spawn(work)?);
    }
    for (index, (channel, shift)) in readers.into_iter().enumerate() {
        threads.push(
            named(format!("hn4-fuse-{index}"))
                .spawn(move || shift.serve(|handler| serve(channel, handler)))?,
        );
    }
    Ok(threads)
}

/// A binding hands sessions between threads.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Session>();
};
