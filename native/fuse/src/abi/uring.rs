//! FUSE over io_uring (linux/fuse.h from protocol 7.42, fs/fuse/dev_uring.c of Linux 6.14).

use super::record;

/// FUSE_IO_URING_CMD_REGISTER: hands an entry to a queue; it completes with the first request.
pub const CMD_REGISTER: u32 = 1;
/// FUSE_IO_URING_CMD_COMMIT_AND_FETCH: answers a request; it completes with the next one.
pub const CMD_COMMIT_AND_FETCH: u32 = 2;
/// FUSE_URING_IOV_SEGS: an entry's buffers, header and payload.
pub const IOV_SEGMENTS: u32 = 2;
/// Bytes of struct fuse_uring_req_header.
pub const REQ_HEADER: usize = 288;
/// Where a header has `in_out`: struct fuse_in_header of a request, fuse_out_header of its reply.
pub const AT_IN_OUT: usize = 0;
/// Where a header has `op_in`, 128 bytes: the fixed part of a request.
pub const AT_OP_IN: usize = 128;
/// Where a header has `ring_ent_in_out`.
pub const AT_ENTRY: usize = 256;

record! {
    /// struct fuse_uring_ent_in_out. `payload_sz`: bytes of payload, of the request and then of its reply.
    UringEntry: 32 { flags: u64, commit_id: u64, payload_sz: u32, padding: u32, reserved: u64 }
}
record! {
    /// struct fuse_uring_cmd_req, in the command bytes of a submission entry.
    UringCommand: 24 { flags: u64, commit_id: u64, qid: u16, padding: [u8; 6] }
}
