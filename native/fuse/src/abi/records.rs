//! Headers and replies (linux/fuse.h).

use super::record;

record! {
    /// struct fuse_in_header. `total_extlen` counts 8-byte units at the end of the request.
    InHeader: 40 {
        len: u32, opcode: u32, unique: u64, nodeid: u64, uid: u32, gid: u32, pid: u32,
        total_extlen: u16, padding: u16,
    }
}
record! {
    /// struct fuse_out_header. `error` is a negative errno or 0; `unique` 0 marks a notification.
    OutHeader: 16 { len: u32, error: i32, unique: u64 }
}
record! {
    /// struct fuse_attr. Seconds are signed numbers in unsigned fields.
    FileAttr: 88 {
        ino: u64, size: u64, blocks: u64, atime: u64, mtime: u64, ctime: u64,
        atimensec: u32, mtimensec: u32, ctimensec: u32,
        mode: u32, nlink: u32, uid: u32, gid: u32, rdev: u32, blksize: u32, flags: u32,
    }
}
record! {
    /// struct fuse_entry_out. A node id of 0 is a name known to be absent.
    EntryOut: 128 {
        nodeid: u64, generation: u64, entry_valid: u64, attr_valid: u64,
        entry_valid_nsec: u32, attr_valid_nsec: u32, attr: FileAttr,
    }
}
record! {
    /// struct fuse_attr_out.
    AttrOut: 104 { attr_valid: u64, attr_valid_nsec: u32, dummy: u32, attr: FileAttr }
}
record! {
    /// struct fuse_sx_time.
    StatxTime: 16 { sec: i64, nsec: u32, reserved: i32 }
}
record! {
    /// struct fuse_statx (the layout of the system call's struct statx).
    Statx: 256 {
        mask: u32, blksize: u32, attributes: u64, nlink: u32, uid: u32, gid: u32, mode: u16, spare0: u16,
        ino: u64, size: u64, blocks: u64, attributes_mask: u64,
        atime: StatxTime, btime: StatxTime, ctime: StatxTime, mtime: StatxTime,
        rdev_major: u32, rdev_minor: u32, dev_major: u32, dev_minor: u32, spare2: [u64; 14],
    }
}
record! {
    /// struct fuse_statx_out.
    StatxOut: 288 { attr_valid: u64, attr_valid_nsec: u32, flags: u32, spare: [u64; 2], stat: Statx }
}
record! {
    /// struct fuse_open_out.
    OpenOut: 16 { fh: u64, open_flags: u32, backing_id: i32 }
}
record! {
    /// struct fuse_write_out.
    WriteOut: 8 { size: u32, padding: u32 }
}
record! {
    /// struct fuse_copy_file_range_out (7.45).
    CopyOut: 8 { bytes_copied: u64 }
}
record! {
    /// struct fuse_statfs_out (fuse_kstatfs).
    StatfsOut: 80 {
        blocks: u64, bfree: u64, bavail: u64, files: u64, ffree: u64,
        bsize: u32, namelen: u32, frsize: u32, padding: u32, spare: [u32; 6],
    }
}
record! {
    /// struct fuse_getxattr_out.
    XattrSizeOut: 8 { size: u32, padding: u32 }
}
record! {
    /// struct fuse_lseek_out.
    SeekOut: 8 { offset: u64 }
}
record! {
    /// struct fuse_ioctl_out.
    IoctlOut: 16 { result: i32, flags: u32, in_iovs: u32, out_iovs: u32 }
}
record! {
    /// struct fuse_init_out.
    InitOut: 64 {
        major: u32, minor: u32, max_readahead: u32, flags: u32,
        max_background: u16, congestion_threshold: u16, max_write: u32, time_gran: u32,
        max_pages: u16, map_alignment: u16, flags2: u32, max_stack_depth: u32, request_timeout: u16,
        unused: [u16; 11],
    }
}
record! {
    /// struct fuse_dirent, without the name that follows it.
    Dirent: 24 { ino: u64, off: u64, namelen: u32, kind: u32 }
}
record! {
    /// struct fuse_notify_inval_inode_out.
    InvalInode: 24 { ino: u64, off: i64, len: i64 }
}
record! {
    /// struct fuse_notify_inval_entry_out, followed by the name and NUL.
    InvalEntry: 16 { parent: u64, namelen: u32, flags: u32 }
}
