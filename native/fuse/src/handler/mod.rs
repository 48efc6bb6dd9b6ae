//! One request in, one `Vfs` call, one reply out. Shared by all transports and threads.

mod attributes;
mod data;
mod directories;
mod errno;
mod init;
mod interrupts;
mod ioctl;
mod names;
mod open;
mod set_id;
mod settings;
mod xattrs;

use crate::abi::{InHeader, opcode};
use crate::connection::Connection;
use crate::counters::Counters;
use crate::lifecycle::Lifecycle;
use crate::transport::uring::Switch;
use crate::wire::{BadRequest, Dialect, LookedUp, Op, Reply, Validity, decode, for_each_plus_node, split};
use errno::Errno;
use hn4_core::base::{Code, Error, Ino};
use hn4_core::vfs::api::{Caller, Vfs};
use init::Agreed;
pub use init::READ_AHEAD;
use interrupts::Interrupts;
use parking_lot::Mutex;
#[cfg(feature = "testing")]
pub use settings::UringFault;
pub use settings::{Cache, Log, ReadDirPlus, Settings};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

/// What a transport does after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is answered (FORGET, INTERRUPT).
    Silent,
    /// The payload in the [`Reply`] is sent.
    Done,
    /// An error without payload, a positive errno.
    Failed(i32),
}

/// What follows a request's header.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// Fixed part and payload, one behind the other (/dev/fuse).
    Whole(&'a [u8]),
    /// The fixed part, with bytes of no meaning behind it, and the payload (io_uring).
    Parts(&'a [u8], &'a [u8]),
}

type Handled = Result<Outcome, Errno>;

/// The meaning of requests, for one mount.
pub struct Handler<V> {
    vfs: Arc<V>,
    settings: Settings,
    connection: Arc<Connection>,
    /// Set by INIT.
    agreed: OnceLock<Agreed>,
    /// The kernel was told to send no OPEN.
    open_is_silent: AtomicBool,
    interrupts: Interrupts,
    /// The result of `Vfs::shutdown`, once it was called.
    closed: Mutex<Option<Result<(), Error>>>,
    /// Where io_uring is wanted.
    uring: Option<Arc<Switch>>,
    pub lifecycle: Arc<Lifecycle>,
    pub counters: Arc<Counters>,
}

impl<V: Vfs> Handler<V> {
    pub fn new(
        vfs: Arc<V>,
        settings: Settings,
        connection: Arc<Connection>,
        uring: Option<Arc<Switch>>,
    ) -> Handler<V> {
        Handler {
            vfs,
            settings,
            connection,
            agreed: OnceLock::new(),
            open_is_silent: AtomicBool::new(false),
            interrupts: Interrupts::default(),
            closed: Mutex::new(None),
            uring,
            lifecycle: Arc::new(Lifecycle::new()),
            counters: Arc::new(Counters::new()),
        }
    }

    #[cfg(feature = "testing")]
    pub fn fault(&self) -> Option<UringFault> {
        self.settings.fault
    }

    pub fn log(&self, line: &str) {
        (self.settings.log)(line);
    }

    /// Where lines go.
    pub fn log_sink(&self) -> Log {
        self.settings.log.clone()
    }

    /// Serves one request. A panic below is an EIO and a line
    /// in the log: one broken request must not take the mount away.
    pub fn handle(&self, header: &InHeader, body: Body<'_>, reply: &mut Reply) -> Outcome {
        self.counters.count(header.opcode);
        let served = catch_unwind(AssertUnwindSafe(|| self.decode_and_dispatch(header, body, reply)));
        match served {
            Ok(Ok(outcome)) => outcome,
            // The kernel waits for no answer to these, and a reply to nothing is refused.
            _ if matches!(header.opcode, opcode::FORGET | opcode::BATCH_FORGET | opcode::INTERRUPT) => {
                Outcome::Silent
            }
            Ok(Err(Errno(errno))) => Outcome::Failed(errno),
            Err(panic) => {
                let (name, node) = (opcode::name(header.opcode), header.nodeid);
                self.log(&format!("{name} of node {node} panicked: {}", panic_text(&*panic)));
                Outcome::Failed(libc::EIO)
            }
        }
    }

    fn decode_and_dispatch(&self, header: &InHeader, body: Body<'_>, reply: &mut Reply) -> Handled {
        let dialect = self.agreed.get().map_or(Dialect::default(), |agreed| agreed.dialect);
        let op = parts(header, body, dialect)
            .and_then(|(fixed, payload)| decode(header.opcode, fixed, payload, dialect))
            .map_err(|bad| match bad {
                BadRequest::Unknown => Errno(libc::ENOSYS),
                BadRequest::Malformed => Errno(libc::EINVAL),
            })?;
        self.dispatch(header, op, reply)
    }

    fn dispatch(&self, header: &InHeader, op: Op, reply: &mut Reply) -> Handled {
        let ino = header.nodeid;
        let who = Caller { uid: header.uid, gid: header.gid, pid: header.pid, umask: 0 };
        match op {
            Op::Init(offer) => self.init(&offer, reply),
            Op::Lookup { name } => self.lookup(ino, name, reply),
            Op::Forget { count } => self.forget([(ino, count)]),
            Op::BatchForget(list) => self.forget(list.iter().map(|one| (one.nodeid, one.nlookup))),
            Op::Getattr => self.getattr(ino, reply),
            Op::Statx => self.statx(ino, reply),
            Op::Setattr(args) => self.setattr(ino, &args, &who, reply),
            Op::Readlink => self.readlink(ino, &who, reply),
            Op::Symlink { name, target } => self.symlink(ino, name, target, &who, reply),
            Op::Mknod { args, name } => self.mknod(ino, name, &args, &who, reply),
            Op::Mkdir { args, name } => self.mkdir(ino, name, &args, &who, reply),
            Op::Unlink { name } => done(self.vfs.unlink(ino, name)),
            Op::Rmdir { name } => done(self.vfs.rmdir(ino, name)),
            Op::Rename { name, new_parent, new_name, flags } => {
                done(self.vfs.rename(ino, name, new_parent, new_name, flags))
            }
            Op::Link { ino: target, name } => self.link(target, ino, name, reply),
            Op::Tmpfile(args) => self.tmpfile(ino, &args, &who, reply),
            Op::Open(args) => self.open(ino, &args, reply),
            Op::Opendir => self.opendir(reply),
            Op::Release | Op::Releasedir => self.release(),
            // ENOSYS to CREATE makes the kernel use MKNOD, and OPEN where that is wanted; to FLUSH
            // it stops asking: nothing is due at close.
            Op::Create | Op::Flush => Err(Errno(libc::ENOSYS)),
            Op::Read(args) => self.read(ino, &args, reply),
            Op::Write { args, data } => self.write(ino, &args, data, &who, reply),
            Op::Fallocate(args) => self.fallocate(header, &args, &who),
            Op::Seek(args) => self.seek(ino, &args, reply),
            Op::Copy { args, wide } => self.copy(header, &args, wide, &who, reply),
            Op::Fsync(args) | Op::Fsyncdir(args) => self.fsync(ino, &args),
            Op::Syncfs => done(self.vfs.syncfs()),
            Op::Readdir { args, plus } => self.readdir(ino, &args, plus, reply),
            Op::Statfs => self.statfs(reply),
            Op::Setxattr { args, name, value } => self.setxattr(ino, name, value, &args, &who),
            Op::Getxattr { size, name } => self.getxattr(ino, name, size, reply),
            Op::Listxattr { size } => self.listxattr(ino, size, &who, reply),
            Op::Removexattr { name } => self.removexattr(ino, name),
            Op::Ioctl { args, data } => self.ioctl(ino, &args, data, &who, reply),
            Op::Interrupt { unique } => {
                self.interrupts.note(unique);
                Ok(Outcome::Silent)
            }
            Op::Destroy => {
                // Answered only after the volume is closed: umount of a block device waits for it.
                done(self.close())
            }
        }
    }

    /// How long the kernel may remember what a reply says of this file, or of names in it.
    fn validity(&self, ino: Ino) -> Validity {
        if self.vfs.is_volatile(ino) { Validity::default() } else { self.settings.validity }
    }

    /// Closes the volume, the first time it is called; then returns that call's result.
    pub fn close(&self) -> Result<(), Error> {
        let mut closed = self.closed.lock();
        closed
            .get_or_insert_with(|| {
                catch_unwind(AssertUnwindSafe(|| self.vfs.shutdown())).unwrap_or_else(|panic| {
                    Err(Error::new(Code::Io, format!("shutdown panicked: {}", panic_text(&*panic))))
                })
            })
            .clone()
    }

    /// Takes back the lookup counts of a reply that did not arrive; `payload` is the reply's.
    pub fn take_back(&self, looked_up: LookedUp, payload: &[u8]) {
        let undo = AssertUnwindSafe(|| match looked_up {
            LookedUp::None => {}
            LookedUp::One(ino) => self.vfs.forget(ino, 1),
            LookedUp::Entries => for_each_plus_node(payload, |ino| self.vfs.forget(ino, 1)),
        });
        if catch_unwind(undo).is_err() {
            self.log("forget panicked");
        }
    }

    fn forget(&self, counts: impl IntoIterator<Item = (u64, u64)>) -> Handled {
        for (ino, count) in counts {
            self.vfs.forget(ino, count);
        }
        Ok(Outcome::Silent)
    }
}

/// Fixed part and payload, without the extensions at the end.
fn parts<'a>(
    header: &InHeader,
    body: Body<'a>,
    dialect: Dialect,
) -> Result<(&'a [u8], &'a [u8]), BadRequest> {
    let extensions = usize::from(header.total_extlen) * 8;
    let shorten = |bytes: &'a [u8]| {
        let end = bytes.len().checked_sub(extensions).ok_or(BadRequest::Malformed)?;
        Ok(&bytes[..end])
    };
    match body {
        Body::Whole(bytes) => split(header.opcode, shorten(bytes)?, dialect),
        Body::Parts(fixed, payload) => Ok((split(header.opcode, fixed, dialect)?.0, shorten(payload)?)),
    }
}

fn done(result: Result<(), Error>) -> Handled {
    result?;
    Ok(Outcome::Done)
}

/// The reply's records always fit into a transport's buffer; EIO if a transport's is too small.
fn fits(put: bool) -> Handled {
    if put { Ok(Outcome::Done) } else { Err(Errno(libc::EIO)) }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
