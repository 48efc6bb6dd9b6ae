//! A slot of the cortex: an anchor and its attribute record (docs/format.md 3).
//!
//! Decoding believes nothing: both checksums, then every rule of the table of legal states. What
//! depends on the geometry (is G in the window?) is [`Slot::check_against`].

#[cfg(test)]
mod cells_test;
mod form;
mod forms;
mod kind;
mod state;
#[cfg(test)]
mod tests;

use super::layout::{self, Anchor, Attributes, DirState, FileState};
use crate::base::{Code, Error, Result, crc32c, crc32c_append};

pub use forms::CHAIN_FLAGS;
pub use kind::Kind;

/// Bytes of a slot.
pub const SLOT_SIZE: usize = layout::SLOT_SIZE as usize;

/// A slot as it stands on the disk.
pub type SlotBytes = [u8; SLOT_SIZE];

/// An empty slot.
pub const EMPTY: SlotBytes = [0; SLOT_SIZE];

pub use layout::NUMBER_END;

const ATTRIBUTES_AT: usize = Anchor::SIZE;
const CHECKSUM_AT: usize = Anchor::AT_CHECKSUM;
const CRC_AT: usize = ATTRIBUTES_AT + Attributes::AT_CRC;

/// A decoded slot: everything hn4 knows of a file before it looks at its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub anchor: Anchor,
    pub attributes: Attributes,
}

impl Slot {
    /// Reads and checks a slot. Errors: `Corrupt` with the field that breaks a rule (an empty
    /// slot fails its checksum); `NotSupported` for features that version 1 only reserves.
    pub fn decode(bytes: &SlotBytes) -> Result<Slot> {
        if !checksum_holds(bytes) {
            let field = if anchor_checksum(bytes) == stored(bytes, CHECKSUM_AT) {
                "attributes crc"
            } else {
                "anchor checksum"
            };
            return Err(corrupt(number_of(bytes), field));
        }
        let slot = Slot::fields(bytes);
        slot.check()?;
        Ok(slot)
    }

    /// The fields without any check, for tools that show damaged slots.
    pub fn fields(bytes: &SlotBytes) -> Slot {
        let (anchor, attributes) = bytes.split_at(ATTRIBUTES_AT);
        // Neither record has reserved bytes, so the generated decoders refuse only short input.
        Slot {
            anchor: Anchor::decode(anchor).expect("128 bytes are an anchor"),
            attributes: Attributes::decode(attributes).expect("64 bytes are an attribute record"),
        }
    }

    /// The bytes with their checksum; the two checksum fields of `self` are ignored. The state must be legal:
    /// debug builds check it, so that a wrong state is found where it is made.
    pub fn encode(&self) -> SlotBytes {
        debug_assert!(self.check().is_ok(), "{:?} in {self:?}", self.check());
        let mut bytes = EMPTY;
        let (anchor, attributes) = bytes.split_at_mut(ATTRIBUTES_AT);
        self.anchor.encode(anchor);
        self.attributes.encode(attributes);
        set_checksum(&mut bytes);
        bytes
    }

    /// The 16 bytes of seed_id.
    pub fn seed_id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.anchor.number.to_le_bytes());
        id[8..12].copy_from_slice(&self.anchor.hint.to_le_bytes());
        id[12..].copy_from_slice(&self.anchor.random.to_le_bytes());
        id
    }

    /// Is the flag (a `DATA_CLASS_*` bit) set?
    pub fn has(&self, flag: u64) -> bool {
        self.anchor.data_class & flag != 0
    }

    /// The file's type. Error: `Corrupt` if `permissions` names none.
    pub fn kind(&self) -> Result<Kind> {
        Kind::from_number((self.anchor.permissions >> 12) as u8 & 15)
            .ok_or_else(|| corrupt(self.anchor.number, "permissions (type)"))
    }

    /// Highest shell in use by a block of the file.
    pub fn kmax(&self) -> u8 {
        let mask = (1 << layout::DATA_CLASS_KMAX_BITS) - 1;
        ((self.anchor.data_class >> layout::DATA_CLASS_KMAX_SHIFT) & mask) as u8
    }

    /// Changes [`Slot::kmax`]; `shell` is below `SHELLS`.
    pub fn set_kmax(&mut self, shell: u8) {
        let mask = ((1u64 << layout::DATA_CLASS_KMAX_BITS) - 1) << layout::DATA_CLASS_KMAX_SHIFT;
        self.anchor.data_class &= !mask;
        self.anchor.data_class |= (u64::from(shell) << layout::DATA_CLASS_KMAX_SHIFT) & mask;
    }

    /// The content of an INLINE file or symlink (1 to 28 bytes).
    pub fn inline_content(&self) -> &[u8] {
        let length = (self.anchor.mass as usize).min(self.anchor.inline_buffer.len());
        &self.anchor.inline_buffer[..length]
    }

    /// The inline buffer of a directory. Error: `Corrupt` if a reserved byte is set.
    pub fn dir_state(&self) -> Result<DirState> {
        DirState::decode(&self.anchor.inline_buffer)
            .ok_or_else(|| corrupt(self.anchor.number, "inline_buffer (directory state)"))
    }

    /// Stores the inline buffer of a directory.
    pub fn set_dir_state(&mut self, state: &DirState) {
        state.encode(&mut self.anchor.inline_buffer);
    }

    /// The inline buffer of a SPARSE file. Error: `Corrupt` if a reserved byte is set.
    pub fn file_state(&self) -> Result<FileState> {
        FileState::decode(&self.anchor.inline_buffer)
            .ok_or_else(|| corrupt(self.anchor.number, "inline_buffer (file state)"))
    }

    /// Stores the inline buffer of a SPARSE file.
    pub fn set_file_state(&mut self, state: &FileState) {
        state.encode(&mut self.anchor.inline_buffer);
    }
}

/// Is the slot empty (all zero)?
pub fn is_empty(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// The number in the bytes of a slot; means something only if their checksum holds.
pub fn number_of(bytes: &SlotBytes) -> u64 {
    u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes"))
}

/// The placement hint in the bytes of a slot; means something only if their checksum holds.
pub fn hint_of(bytes: &SlotBytes) -> u32 {
    stored(bytes, Anchor::AT_HINT)
}

/// Do both checksums hold?
pub fn checksum_holds(bytes: &SlotBytes) -> bool {
    anchor_checksum(bytes) == stored(bytes, CHECKSUM_AT) && attributes_crc(bytes) == stored(bytes, CRC_AT)
}

/// Computes and stores both checksums.
pub fn set_checksum(bytes: &mut SlotBytes) {
    let checksum = anchor_checksum(bytes);
    bytes[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&checksum.to_le_bytes());
    let crc = attributes_crc(bytes);
    bytes[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_le_bytes());
}

/// Clears set-user-id, and set-group-id where the group may execute (as the kernel does).
pub fn kill_suidgid(permissions: &mut u32) {
    *permissions &= !libc::S_ISUID;
    if *permissions & libc::S_IXGRP != 0 {
        *permissions &= !libc::S_ISGID;
    }
}

/// CRC32C of the anchor's 128 bytes with the checksum field zero.
fn anchor_checksum(bytes: &SlotBytes) -> u32 {
    let mut anchor: [u8; Anchor::SIZE] = bytes[..Anchor::SIZE].try_into().expect("128 bytes");
    anchor[CHECKSUM_AT..CHECKSUM_AT + 4].fill(0);
    crc32c(&anchor)
}

/// CRC32C of seed_id and the 60 bytes before the field: attributes of another file do not pass.
fn attributes_crc(bytes: &SlotBytes) -> u32 {
    crc32c_append(crc32c(&bytes[..16]), &bytes[ATTRIBUTES_AT..CRC_AT])
}

fn stored(bytes: &SlotBytes, at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"))
}

/// The error for a slot whose `field` breaks a rule.
fn corrupt(number: u64, field: &str) -> Error {
    Error::new(Code::Corrupt, format!("anchor {number}: {field}"))
}
