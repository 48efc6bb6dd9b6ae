//! One extension record as units of 256 bytes.

use crate::base::{Code, Error, Ino, Result, crc32c_append};
use crate::format::layout::{
    EXTENSION_HEADER, EXTENSION_MAGIC, EXTENSION_SEGMENTS, EXTENSION_SYMLINK, ExtensionRecord, SYMLINK_MAX,
    UNIT_SIZE, UNITS_PER_PAGE,
};

/// The bytes of one unit.
pub type Unit = [u8; UNIT_SIZE as usize];

pub(super) const HEADER: usize = EXTENSION_HEADER as usize;
/// Largest payload of a record: a page of units.
pub const PAYLOAD_MAX: usize = (UNITS_PER_PAGE * UNIT_SIZE) as usize - HEADER;
/// Largest payload of extended attributes, and of each reserved type, over all records of a file.
pub const XATTR_PAYLOAD_MAX: usize = 1 << 20;

/// Largest payload of a type over all records of a file.
pub fn payload_max(kind: u32) -> u64 {
    match kind {
        // As many as the region holds.
        EXTENSION_SEGMENTS => u64::MAX,
        EXTENSION_SYMLINK => SYMLINK_MAX,
        _ => XATTR_PAYLOAD_MAX as u64,
    }
}

/// A record of a chain. Its `next` follows from its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// First unit.
    pub unit: u64,
    /// EXTENSION_*.
    pub kind: u32,
    /// Low 32 bits of the transaction that wrote it.
    pub generation: u32,
    /// 1 to `PAYLOAD_MAX` bytes.
    pub payload: Vec<u8>,
}

/// Units that a record of so many payload bytes takes.
pub(super) fn units_of(payload_bytes: usize) -> u64 {
    ((HEADER + payload_bytes) as u64).div_ceil(UNIT_SIZE)
}

/// Payload bytes that fit a record of that type and so many units; segments are not cut in two.
pub(super) fn payload_room(kind: u32, units: u64) -> usize {
    let room = (units.min(UNITS_PER_PAGE) * UNIT_SIZE) as usize - HEADER;
    if kind == EXTENSION_SEGMENTS { room / 16 * 16 } else { room }
}

#[cold]
pub(super) fn corrupt(owner: Ino, unit: u64, rule: &str) -> Error {
    Error::new(Code::Corrupt, format!("file {owner}, extension unit {unit}: {rule}"))
}

impl Record {
    /// Units the record takes.
    pub fn units(&self) -> u64 {
        units_of(self.payload.len())
    }

    /// The record's units.
    pub(super) fn encode(&self, owner: Ino, next: u64) -> Vec<Unit> {
        let mut bytes = vec![0; (self.units() * UNIT_SIZE) as usize];
        let mut header = ExtensionRecord {
            magic: EXTENSION_MAGIC as u32,
            kind: self.kind,
            next,
            owner,
            length: self.payload.len() as u32,
            generation: self.generation,
            crc: 0,
        };
        header.encode(&mut bytes);
        header.crc = crc32c_append(crc32c_append(0, &bytes[..HEADER]), &self.payload);
        header.encode(&mut bytes);
        bytes[HEADER..HEADER + self.payload.len()].copy_from_slice(&self.payload);
        bytes.chunks_exact(UNIT_SIZE as usize).filter_map(|unit| unit.try_into().ok()).collect()
    }

    /// Checks the header in a record's first unit: everything but the checksum.
    pub(super) fn header(first: &Unit, owner: Ino, unit: u64) -> Result<ExtensionRecord> {
        let wrong = |rule: &str| Err(corrupt(owner, unit, rule));
        let Some(header) = ExtensionRecord::decode(first) else {
            return wrong("a reserved byte is not zero");
        };
        if u64::from(header.magic) != EXTENSION_MAGIC {
            return wrong("no extension record (magic)");
        }
        if header.owner != owner {
            return wrong("the record is of another file");
        }
        if header.kind == 0 || header.kind > EXTENSION_SYMLINK {
            return wrong("unknown type");
        }
        if header.length == 0 || header.length as usize > PAYLOAD_MAX {
            return wrong("length out of range");
        }
        if unit % UNITS_PER_PAGE + units_of(header.length as usize) > UNITS_PER_PAGE {
            return wrong("the record crosses the end of its page");
        }
        Ok(header)
    }

    /// The record in `bytes`, its units one after another, under a header that was checked.
    pub(super) fn decode(header: &ExtensionRecord, bytes: &[u8], unit: u64) -> Result<Record> {
        let end = HEADER + header.length as usize;
        let (Some(payload), Some(rest)) = (bytes.get(HEADER..end), bytes.get(end..)) else {
            return Err(corrupt(header.owner, unit, "length out of range"));
        };
        let mut plain = [0; HEADER];
        ExtensionRecord { crc: 0, ..*header }.encode(&mut plain);
        if crc32c_append(crc32c_append(0, &plain), payload) != header.crc {
            return Err(corrupt(header.owner, unit, "checksum"));
        }
        if rest.iter().any(|&byte| byte != 0) {
            return Err(corrupt(header.owner, unit, "bytes behind the payload are not zero"));
        }
        Ok(Record { unit, kind: header.kind, generation: header.generation, payload: payload.to_vec() })
    }
}
