//! File types as the anchor stores them.

/// Type of a file; the number is `S_IFMT >> 12`, as in `permissions` bits 12-15, directory
/// entries and `d_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Fifo = 1,
    CharDevice = 2,
    Directory = 4,
    BlockDevice = 6,
    Regular = 8,
    Symlink = 10,
    Socket = 12,
}

impl Kind {
    /// All seven.
    pub const ALL: [Kind; 7] = [
        Kind::Fifo,
        Kind::CharDevice,
        Kind::Directory,
        Kind::BlockDevice,
        Kind::Regular,
        Kind::Symlink,
        Kind::Socket,
    ];

    /// The type with this number (`S_IFMT >> 12`).
    pub fn from_number(number: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// `S_IFMT >> 12`.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The type named by the S_IFMT bits of a mode.
    pub fn from_mode(mode: u32) -> Option<Kind> {
        Kind::from_number((mode >> 12) as u8 & 15)
    }

    /// Character or block device: the only types with a device number.
    pub fn is_device(self) -> bool {
        matches!(self, Kind::CharDevice | Kind::BlockDevice)
    }
}
