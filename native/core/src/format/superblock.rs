//! The superblock (docs/format.md 1): a block of identity and geometry. The crate's `superblocks` finds
//! the one in force among the four on a device.

use super::descriptor::DescriptorTable;
use super::geometry::{Geometry, unknown_descriptors};
use super::layout::{
    BLOCK_SIZE as LAYOUT_BLOCK_SIZE, FORMAT_VERSION, INCOMPAT_EXPERIMENTAL, SHELLS, SUPERBLOCK_MAGIC,
    Superblock,
};
use crate::base::{BLOCK_SIZE, BlockNumber, Code, Error, Result, crc32c};

/// Feature bits this version knows. An unknown bit in the first refuses the volume, in the second a
/// writer; unknown bits of the third word (`compat`) mean nothing to us.
pub const INCOMPAT_KNOWN: u64 = INCOMPAT_EXPERIMENTAL;
pub const RO_COMPAT_KNOWN: u64 = 0;

/// What a block is as a superblock, judged alone.
#[derive(Clone, Debug)]
pub enum Judged {
    /// Magic, checksum, version, block size and place are right.
    Valid(Box<Superblock>),
    /// Intact, but of a format version we do not know.
    Version(u32),
    /// Our magic, but damaged.
    Damaged,
    /// Nothing of ours.
    Nothing,
}

impl Judged {
    pub fn valid(&self) -> Option<&Superblock> {
        match self {
            Judged::Valid(superblock) => Some(superblock),
            _ => None,
        }
    }
}

/// Judges `bytes`, read from `block` as the superblock of `position`.
pub fn judge(bytes: &[u8], block: BlockNumber, position: u16) -> Judged {
    if bytes[..8] != SUPERBLOCK_MAGIC {
        return Judged::Nothing;
    }
    if bytes[Superblock::AT_CRC..] != crc32c(&bytes[..Superblock::AT_CRC]).to_le_bytes() {
        return Judged::Damaged;
    }
    let version = u32::from_le_bytes(std::array::from_fn(|i| bytes[Superblock::AT_FORMAT_VERSION + i]));
    if u64::from(version) != FORMAT_VERSION {
        return Judged::Version(version);
    }
    let Some(superblock) = Superblock::decode(bytes) else {
        return Judged::Damaged;
    };
    let at_home = superblock.block_count >= 4
        && superblock.block_count <= 1 << 44
        && Geometry::superblock_block(superblock.block_count, position) == block;
    if superblock.position != position || u64::from(superblock.block_size) != LAYOUT_BLOCK_SIZE || !at_home {
        return Judged::Damaged;
    }
    Judged::Valid(Box::new(superblock))
}

/// The block of a superblock at `position`, with its checksum.
pub fn encode(superblock: &Superblock, position: u16) -> [u8; BLOCK_SIZE] {
    let mut bytes = [0; BLOCK_SIZE];
    Superblock { position, crc: 0, ..*superblock }.encode(&mut bytes);
    let crc = crc32c(&bytes[..Superblock::AT_CRC]);
    bytes[Superblock::AT_CRC..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// The label as text; none if it is not UTF-8, not ended by NUL, or has bytes behind the NUL.
pub fn label(superblock: &Superblock) -> Option<&str> {
    let end = superblock.label.iter().position(|&b| b == 0)?;
    let clean = superblock.label[end..].iter().all(|&b| b == 0);
    std::str::from_utf8(&superblock.label[..end]).ok().filter(|_| clean)
}

/// Gives it another label. InvalidArgument: not UTF-8, with a NUL, or too long.
pub fn set_label(superblock: &mut Superblock, label: &[u8]) -> Result<()> {
    let mut padded = [0; 64];
    // One byte at least stays for the NUL that ends it.
    let fits = label.len() < padded.len() && !label.contains(&0) && std::str::from_utf8(label).is_ok();
    if !fits {
        return Err(Error::new(Code::InvalidArgument, "a label is UTF-8 without NUL, of at most 63 bytes"));
    }
    padded[..label.len()].copy_from_slice(label);
    superblock.label = padded;
    Ok(())
}

/// Features, identity and geometry of a valid superblock. Errors: `NotSupported`: features this version
/// does not know, or descriptors that are not among the `known` ones; `Corrupt`: fields that contradict
/// each other.
pub fn check(superblock: &Superblock, known: &[DescriptorTable]) -> Result<Geometry> {
    let unknown = superblock.incompat & !INCOMPAT_KNOWN;
    if unknown != 0 {
        let text = format!("the volume has features this version does not know: incompat {unknown:#x}");
        return Err(Error::new(Code::NotSupported, text));
    }
    let size = u64::from(superblock.descriptor_size);
    if !known.iter().any(|table| table.size == size) {
        return Err(unknown_descriptors(size));
    }
    check_identity(superblock)?;
    Geometry::of(superblock)
}

/// Error: `NotSupported` if the volume has features that only a reader may ignore.
pub fn check_writable(superblock: &Superblock) -> Result<()> {
    let unknown = superblock.ro_compat & !RO_COMPAT_KNOWN;
    if unknown == 0 {
        return Ok(());
    }
    let text = format!("this version reads, but cannot write, volumes with ro_compat features {unknown:#x}");
    Err(Error::new(Code::NotSupported, text))
}

fn check_identity(s: &Superblock) -> Result<()> {
    let wrong = |what: &str| Err(Error::new(Code::Corrupt, format!("superblock: {what}")));
    if label(s).is_none() {
        return wrong("the label is not NUL-padded UTF-8");
    }
    if u64::from(s.shells) != SHELLS {
        return wrong("shells is not 2");
    }
    if s.generation == 0 {
        return wrong("generation is 0");
    }
    Ok(())
}

/// Whether two superblocks say the same, each at its position.
pub fn same_but_position(a: &Superblock, b: &Superblock) -> bool {
    Superblock { position: 0, crc: 0, ..*a } == Superblock { position: 0, crc: 0, ..*b }
}

#[cfg(test)]
#[path = "superblock_tests.rs"]
mod tests;
