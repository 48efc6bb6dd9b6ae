//! A state of the model: the disk, the program that uses it, and what the outside world knows.

use crate::disk::{Check, Disk, Image};

/// The rules of the protocol, one by one, so that each can be left out.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Only proven transactions go home (else: what was submitted last).
    pub home_after_proof: bool,
    /// Only blocks freed by proven transactions are used again (else: by submitted ones).
    pub reuse_after_proof: bool,
    /// A transaction counts as proven only by its successor or a checkpoint block (else: by its flush).
    pub flush_is_no_proof: bool,
    /// Recovery begins with a flush.
    pub first_flush: bool,
    /// Recovery writes copy B first where only copy A verifies (else: always copy A first).
    pub bad_copy_first: bool,
    /// Records carry the epoch, and each recovery starts a new one.
    pub epochs: bool,
    /// A record is submitted after the flush of the one before.
    pub commits_do_not_overlap: bool,
    /// Copy B is written after the flush of copy A.
    pub copies_apart: bool,
    /// The checkpoint block that moves the tail is written after the flush of copy B.
    pub tail_after_home: bool,
    /// Log blocks are used again after the flush of that checkpoint block.
    pub log_reuse_after_flush: bool,
    /// A power cut may also lose one block that was stable for long.
    pub rot: bool,
}

impl Rules {
    pub const ALL: Rules = Rules {
        home_after_proof: true,
        reuse_after_proof: true,
        flush_is_no_proof: true,
        first_flush: true,
        bad_copy_first: true,
        epochs: true,
        commits_do_not_overlap: true,
        copies_apart: true,
        tail_after_home: true,
        log_reuse_after_flush: true,
        rot: false,
    };
}

/// A transaction and the files after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    pub txn: u8,
    pub serial: u8,
    pub image: Image,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Home {
    Idle,
    WroteA,
    FlushedA,
    WroteB,
    FlushedB,
    WroteCheck,
}

/// A mounted volume.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Writer {
    /// The last checkpoint block that was written, and whether its flush is still to come.
    pub check: Check,
    pub check_waits: bool,
    /// First transaction whose log block must be kept.
    pub kept_txn: u8,
    pub proven: Link,
    /// Submitted, not proven; the last `in_flight` of them wait for their flush.
    pub submitted: Vec<Link>,
    pub in_flight: usize,
    /// Data written early, for the next transaction: file, version, block.
    pub staged: Option<(u8, u8, u8)>,
    pub home: Home,
    /// What goes, or last went, home.
    pub going_home: Link,
}

impl Writer {
    pub fn last(&self) -> Link {
        self.submitted.last().copied().unwrap_or(self.proven)
    }
}

/// What recovery has decided.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Plan {
    pub check: Check,
    pub last: Link,
    /// Copies of the page in the order in which they are written home.
    pub copies: [u8; 2],
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Not mounted; recovery may start.
    Off,
    /// The first flush is done.
    Flushed,
    /// Recovery has written and flushed this many of its eight steps.
    Recovering(u8, Plan),
    Running(Writer),
    /// The volume was found damaged and refused, which is right after rot.
    Refused,
}

/// What happened, as the outside world could know it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// By serial: the files after that transaction, and the transaction before. Serial 0 is mkfs.
    pub images: Vec<Image>,
    pub parents: Vec<u8>,
    /// Last transaction whose fsync was answered.
    pub answered: u8,
    /// Bit per serial: a finished recovery has shown the world without it.
    pub forgotten: u32,
    pub rotted: bool,
}

impl World {
    pub fn is_before_or_same(&self, before: u8, mut serial: u8) -> bool {
        while serial != before && serial != 0 {
            serial = self.parents[usize::from(serial)];
        }
        serial == before
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub disk: Disk,
    pub phase: Phase,
    pub world: World,
    pub crashes_left: u8,
    pub transactions_left: u8,
}

impl State {
    pub fn start(transactions: u8, crashes: u8) -> State {
        State {
            disk: Disk::formatted(),
            phase: Phase::Off,
            world: World {
                images: vec![Image::default()],
                parents: vec![0],
                answered: 0,
                forgotten: 0,
                rotted: false,
            },
            crashes_left: crashes,
            transactions_left: transactions,
        }
    }
}

/// What a step does, with the numbers to fill in for `{}`.
#[derive(Clone, Copy)]
pub struct Name(pub &'static str, pub [u8; 3]);

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = self.0.split("{}");
        write!(f, "{}", parts.next().unwrap_or(""))?;
        for (number, part) in self.1.iter().zip(parts) {
            write!(f, "{number}{part}")?;
        }
        Ok(())
    }
}

/// A step and where it leads; or the rule of the world it breaks.
pub type Step = (Name, Result<State, String>);
