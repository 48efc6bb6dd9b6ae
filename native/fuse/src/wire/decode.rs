//! From bytes to [`Op`]. Hostile-safe: any bytes give an `Op` or an error.

use super::{BadRequest, Dialect, Forgets, Op};
use crate::abi::*;
use zerocopy::{FromBytes, Immutable, KnownLayout};

type Decoded<T> = Result<T, BadRequest>;

/// Decodes a request from its opcode, fixed part and payload.
pub fn decode<'a>(opcode: u32, fixed: &'a [u8], payload: &'a [u8], dialect: Dialect) -> Decoded<Op<'a>> {
    Ok(match opcode {
        opcode::LOOKUP => Op::Lookup { name: name(payload)? },
        opcode::FORGET => Op::Forget { count: record::<ForgetIn>(fixed)?.nlookup },
        opcode::BATCH_FORGET => Op::BatchForget(forgets(fixed, payload)?),
        opcode::GETATTR => Op::Getattr,
        opcode::STATX => Op::Statx,
        opcode::SETATTR => Op::Setattr(record(fixed)?),
        opcode::READLINK => Op::Readlink,
        opcode::SYMLINK => {
            let (name, target) = two_names(payload)?;
            Op::Symlink { name, target }
        }
        opcode::MKNOD => Op::Mknod { args: record(fixed)?, name: name(payload)? },
        opcode::MKDIR => Op::Mkdir { args: record(fixed)?, name: name(payload)? },
        opcode::UNLINK => Op::Unlink { name: name(payload)? },
        opcode::RMDIR => Op::Rmdir { name: name(payload)? },
        opcode::RENAME => rename(record::<RenameIn>(fixed)?.newdir, 0, payload)?,
        opcode::RENAME2 => {
            let args: Rename2In = record(fixed)?;
            rename(args.newdir, args.flags, payload)?
        }
        opcode::LINK => Op::Link { ino: record::<LinkIn>(fixed)?.oldnodeid, name: name(payload)? },
        opcode::OPEN => Op::Open(record(fixed)?),
        opcode::READ => Op::Read(record(fixed)?),
        opcode::WRITE => {
            let args: WriteIn = record(fixed)?;
            Op::Write { args, data: exactly(payload, args.size)? }
        }
        opcode::STATFS => Op::Statfs,
        opcode::RELEASE => Op::Release,
        opcode::FLUSH => Op::Flush,
        opcode::FSYNC => Op::Fsync(record(fixed)?),
        opcode::SETXATTR => setxattr(fixed, payload, dialect)?,
        opcode::GETXATTR => Op::Getxattr { size: record::<GetxattrIn>(fixed)?.size, name: name(payload)? },
        opcode::LISTXATTR => Op::Listxattr { size: record::<GetxattrIn>(fixed)?.size },
        opcode::REMOVEXATTR => Op::Removexattr { name: name(payload)? },
        opcode::INIT => Op::Init(init(fixed)?),
        opcode::OPENDIR => Op::Opendir,
        opcode::READDIR => Op::Readdir { args: record(fixed)?, plus: false },
        opcode::READDIRPLUS => Op::Readdir { args: record(fixed)?, plus: true },
        opcode::RELEASEDIR => Op::Releasedir,
        opcode::FSYNCDIR => Op::Fsyncdir(record(fixed)?),
        opcode::CREATE => Op::Create,
        opcode::TMPFILE => Op::Tmpfile(record(fixed)?),
        opcode::INTERRUPT => Op::Interrupt { unique: record::<InterruptIn>(fixed)?.unique },
        opcode::DESTROY => Op::Destroy,
        opcode::IOCTL => {
            let args: IoctlIn = record(fixed)?;
            Op::Ioctl { args, data: exactly(payload, args.in_size)? }
        }
        opcode::FALLOCATE => Op::Fallocate(record(fixed)?),
        opcode::LSEEK => Op::Seek(record(fixed)?),
        opcode::COPY_FILE_RANGE => Op::Copy { args: record(fixed)?, wide: false },
        opcode::COPY_FILE_RANGE_64 => Op::Copy { args: record(fixed)?, wide: true },
        opcode::SYNCFS => Op::Syncfs,
        _ => return Err(BadRequest::Unknown),
    })
}

fn record<T: FromBytes + KnownLayout + Immutable>(fixed: &[u8]) -> Decoded<T> {
    T::read_from_bytes(fixed).map_err(|_| BadRequest::Malformed)
}

/// The string up to the first NUL, not empty, and what follows the NUL.
fn take_name(bytes: &[u8]) -> Decoded<(&[u8], &[u8])> {
    match bytes.iter().position(|&byte| byte == 0) {
        None | Some(0) => Err(BadRequest::Malformed),
        Some(end) => Ok((&bytes[..end], &bytes[end + 1..])),
    }
}

fn name(payload: &[u8]) -> Decoded<&[u8]> {
    take_name(payload).map(|(name, _)| name)
}

fn two_names(payload: &[u8]) -> Decoded<(&[u8], &[u8])> {
    let (first, rest) = take_name(payload)?;
    Ok((first, name(rest)?))
}

fn exactly(payload: &[u8], size: u32) -> Decoded<&[u8]> {
    if payload.len() == size as usize { Ok(payload) } else { Err(BadRequest::Malformed) }
}

fn rename(new_parent: u64, flags: u32, payload: &[u8]) -> Decoded<Op<'_>> {
    let (name, new_name) = two_names(payload)?;
    Ok(Op::Rename { name, new_parent, new_name, flags })
}

fn forgets<'a>(fixed: &[u8], payload: &'a [u8]) -> Decoded<Forgets<'a>> {
    let count = record::<BatchForgetIn>(fixed)?.count as usize;
    let size = count.checked_mul(size_of::<ForgetOne>()).ok_or(BadRequest::Malformed)?;
    payload.get(..size).map(Forgets).ok_or(BadRequest::Malformed)
}

fn setxattr<'a>(fixed: &[u8], payload: &'a [u8], dialect: Dialect) -> Decoded<Op<'a>> {
    let args = if dialect.setxattr_ext {
        record(fixed)?
    } else {
        let SetxattrShortIn { size, flags } = record(fixed)?;
        SetxattrIn { size, flags, ..Default::default() }
    };
    let (name, rest) = take_name(payload)?;
    Ok(Op::Setxattr { args, name, value: exactly(rest, args.size)? })
}

/// The short form counts as one without extended flags.
fn init(fixed: &[u8]) -> Decoded<InitIn> {
    if let Ok(full) = InitIn::read_from_bytes(fixed) {
        return Ok(full);
    }
    let (short, _) = InitShortIn::read_from_prefix(fixed).map_err(|_| BadRequest::Malformed)?;
    let InitShortIn { major, minor, max_readahead, flags } = short;
    Ok(InitIn { major, minor, max_readahead, flags, ..Default::default() })
}
