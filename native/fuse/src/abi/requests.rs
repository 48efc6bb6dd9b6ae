//! Fixed parts of requests (linux/fuse.h). Names and data follow them.

use super::record;

record! {
    /// struct fuse_forget_in.
    ForgetIn: 8 { nlookup: u64 }
}
record! {
    /// struct fuse_forget_one.
    ForgetOne: 16 { nodeid: u64, nlookup: u64 }
}
record! {
    /// struct fuse_batch_forget_in.
    BatchForgetIn: 8 { count: u32, dummy: u32 }
}
record! {
    /// struct fuse_getattr_in.
    GetattrIn: 16 { getattr_flags: u32, dummy: u32, fh: u64 }
}
record! {
    /// struct fuse_statx_in.
    StatxIn: 24 { getattr_flags: u32, reserved: u32, fh: u64, sx_flags: u32, sx_mask: u32 }
}
record! {
    /// struct fuse_setattr_in.
    SetattrIn: 88 {
        valid: u32, padding: u32, fh: u64, size: u64, lock_owner: u64,
        atime: u64, mtime: u64, ctime: u64, atimensec: u32, mtimensec: u32, ctimensec: u32,
        mode: u32, unused4: u32, uid: u32, gid: u32, unused5: u32,
    }
}
record! {
    /// struct fuse_mknod_in.
    MknodIn: 16 { mode: u32, rdev: u32, umask: u32, padding: u32 }
}
record! {
    /// struct fuse_mkdir_in.
    MkdirIn: 8 { mode: u32, umask: u32 }
}
record! {
    /// struct fuse_rename_in.
    RenameIn: 8 { newdir: u64 }
}
record! {
    /// struct fuse_rename2_in.
    Rename2In: 16 { newdir: u64, flags: u32, padding: u32 }
}
record! {
    /// struct fuse_link_in.
    LinkIn: 8 { oldnodeid: u64 }
}
record! {
    /// struct fuse_open_in.
    OpenIn: 8 { flags: u32, open_flags: u32 }
}
record! {
    /// struct fuse_create_in, also of TMPFILE.
    CreateIn: 16 { flags: u32, mode: u32, umask: u32, open_flags: u32 }
}
record! {
    /// struct fuse_release_in.
    ReleaseIn: 24 { fh: u64, flags: u32, release_flags: u32, lock_owner: u64 }
}
record! {
    /// struct fuse_flush_in.
    FlushIn: 24 { fh: u64, unused: u32, padding: u32, lock_owner: u64 }
}
record! {
    /// struct fuse_read_in, also of READDIR and READDIRPLUS.
    ReadIn: 40 {
        fh: u64, offset: u64, size: u32, read_flags: u32, lock_owner: u64, flags: u32, padding: u32,
    }
}
record! {
    /// struct fuse_write_in.
    WriteIn: 40 {
        fh: u64, offset: u64, size: u32, write_flags: u32, lock_owner: u64, flags: u32, padding: u32,
    }
}
record! {
    /// struct fuse_fsync_in.
    FsyncIn: 16 { fh: u64, fsync_flags: u32, padding: u32 }
}
record! {
    /// struct fuse_setxattr_in as sent when SETXATTR_EXT was not negotiated.
    SetxattrShortIn: 8 { size: u32, flags: u32 }
}
record! {
    /// struct fuse_setxattr_in.
    SetxattrIn: 16 { size: u32, flags: u32, setxattr_flags: u32, padding: u32 }
}
record! {
    /// struct fuse_getxattr_in, also of LISTXATTR.
    GetxattrIn: 8 { size: u32, padding: u32 }
}
record! {
    /// The part of struct fuse_init_in that every kernel sends.
    InitShortIn: 16 { major: u32, minor: u32, max_readahead: u32, flags: u32 }
}
record! {
    /// struct fuse_init_in.
    InitIn: 64 {
        major: u32, minor: u32, max_readahead: u32, flags: u32, flags2: u32, unused: [u32; 11],
    }
}
record! {
    /// struct fuse_interrupt_in.
    InterruptIn: 8 { unique: u64 }
}
record! {
    /// struct fuse_ioctl_in.
    IoctlIn: 32 { fh: u64, flags: u32, cmd: u32, arg: u64, in_size: u32, out_size: u32 }
}
record! {
    /// struct fuse_fallocate_in.
    FallocateIn: 32 { fh: u64, offset: u64, length: u64, mode: u32, padding: u32 }
}
record! {
    /// struct fuse_lseek_in.
    SeekIn: 24 { fh: u64, offset: u64, whence: u32, padding: u32 }
}
record! {
    /// struct fuse_copy_file_range_in.
    CopyIn: 56 {
        fh_in: u64, off_in: u64, nodeid_out: u64, fh_out: u64, off_out: u64, len: u64, flags: u64,
    }
}
record! {
    /// struct fuse_syncfs_in.
    SyncfsIn: 8 { padding: u64 }
}
