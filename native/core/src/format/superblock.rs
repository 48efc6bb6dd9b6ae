//! The four superblocks (docs/format.md 1): identity and geometry of a volume.

use super::geometry::Geometry;
use super::layout::{
    BLOCK_SIZE as LAYOUT_BLOCK_SIZE, DESCRIPTOR_SIZE, FORMAT_VERSION, INCOMPAT_EXPERIMENTAL, SHELLS,
    SUPERBLOCK_MAGIC, Superblock,
};
use crate::base::{BLOCK_SIZE, BlockNumber, Code, Error, Result, crc32c};
use crate::device::Device;

/// Feature bits this version knows. An unknown bit in the first refuses the volume, in the second a
/// writer; unknown bits of the third word (`compat`) mean nothing to us.
pub const INCOMPAT_KNOWN: u64 = INCOMPAT_EXPERIMENTAL;
pub const RO_COMPAT_KNOWN: u64 = 0;

/// What one of the four places holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceState {
    /// The superblock in force.
    Current,
    /// A valid one of an older generation.
    Stale,
    /// Unreadable or invalid.
    Bad,
}

/// The superblock in force, and what it says.
#[derive(Clone, Debug)]
pub struct Opened {
    pub superblock: Superblock,
    pub geometry: Geometry,
    /// By position; whoever may write calls [`Opened::repair`] for the `Stale` and `Bad` ones.
    pub places: [PlaceState; 4],
}

impl Opened {
    /// Error: `NotSupported` if the volume has features that only a reader may ignore.
    pub fn check_writable(&self) -> Result<()> {
        let unknown = self.superblock.ro_compat & !RO_COMPAT_KNOWN;
        if unknown == 0 {
            return Ok(());
        }
        let text =
            format!("this version reads, but cannot write, volumes with ro_compat features {unknown:#x}");
        Err(Error::new(Code::NotSupported, text))
    }

    /// Writes the superblock in force over the stale and bad ones and flushes; none is touched that is in
    /// force, so one is valid at every moment. Call when the log has shown that the superblock is the
    /// volume's. Returns how many were written; a place that takes no write is told to `on_error`.
    pub fn repair(&self, device: &dyn Device, mut on_error: impl FnMut(&Error)) -> Result<u64> {
        let mut written = 0;
        for position in (0..4).filter(|&at| self.places[usize::from(at)] != PlaceState::Current) {
            match write_place(device, &self.superblock, position) {
                Ok(()) => written += 1,
                Err(error) => on_error(&error),
            }
        }
        if written > 0 {
            device.flush()?;
        }
        Ok(written)
    }
}

/// One place, judged alone.
enum Found {
    Valid(Box<Superblock>),
    /// Intact, but of a format version we do not know.
    Version(u32),
    /// Our magic, but damaged.
    Damaged,
    /// Nothing of ours.
    Nothing,
    Unreadable(Error),
}

/// Finds the superblock in force and checks all of it against the device.
///
/// Errors: `InvalidArgument`: not an hn4 volume. `NotSupported`: a later version, or unknown incompat
/// features. `Corrupt`: no valid superblock, or one whose fields contradict each other or the device.
/// `Io`: no valid one among those that the device could read.
pub fn read(device: &dyn Device) -> Result<Opened> {
    let size = device.block_count();
    let mut found: [Found; 4] = [Found::Nothing, Found::Nothing, Found::Nothing, Found::Nothing];
    for position in 0..4 {
        found[usize::from(position)] = read_place(device, size, position);
    }
    // A volume smaller than its device has its tail pair where the head pair says.
    let of_head = found[..2].iter().filter_map(valid).map(|s| s.block_count).find(|&count| count < size);
    if let Some(count) = of_head {
        for position in 2..4 {
            if valid(&found[usize::from(position)]).is_none() {
                found[usize::from(position)] = read_place(device, count, position);
            }
        }
    }
    let Some(best) = found.iter().filter_map(valid).max_by_key(|s| s.generation) else {
        return Err(no_superblock(&found));
    };
    let superblock = *best;
    let unknown = superblock.incompat & !INCOMPAT_KNOWN;
    if unknown != 0 {
        let text = format!("the volume has features this version does not know: incompat {unknown:#x}");
        return Err(Error::new(Code::NotSupported, text));
    }
    check_identity(&superblock)?;
    let geometry = Geometry::of(&superblock)?;
    if geometry.block_count > size {
        let text = format!("the volume has {} blocks, its device only {size}", geometry.block_count);
        return Err(Error::new(Code::Corrupt, text));
    }
    let places = found.map(|place| match place {
        Found::Valid(s) if same_but_position(&s, &superblock) => PlaceState::Current,
        Found::Valid(_) => PlaceState::Stale,
        _ => PlaceState::Bad,
    });
    Ok(Opened { superblock, geometry, places })
}

/// Writes all four superblocks with the next generation, which `superblock` then carries. In two
/// steps, so that a crash leaves a valid one at every moment. Flushes.
pub fn write(device: &dyn Device, superblock: &mut Superblock) -> Result<()> {
    superblock.generation += 1;
    write_place(device, superblock, 0)?;
    device.flush()?;
    for position in 1..4 {
        write_place(device, superblock, position)?;
    }
    device.flush()
}

/// Writes the superblock as it is to one of its four places, without a flush: for mkfs, and to repair
/// a `Stale` or `Bad` place.
pub fn write_place(device: &dyn Device, superblock: &Superblock, position: u16) -> Result<()> {
    let block = Geometry::superblock_block(superblock.block_count, position);
    device.write(block, &encode(superblock, position))
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

fn valid(found: &Found) -> Option<&Superblock> {
    match found {
        Found::Valid(superblock) => Some(superblock),
        _ => None,
    }
}

fn read_place(device: &dyn Device, block_count: u64, position: u16) -> Found {
    let mut bytes = crate::base::AlignedBuf::zeroed(1);
    if block_count < 4 {
        return Found::Nothing;
    }
    let block = Geometry::superblock_block(block_count, position);
    match device.read(block, &mut bytes) {
        Ok(()) => judge(&bytes, block, position),
        Err(error) => Found::Unreadable(error),
    }
}

/// Magic, checksum, version, block size and position.
fn judge(bytes: &[u8], block: BlockNumber, position: u16) -> Found {
    if bytes[..8] != SUPERBLOCK_MAGIC {
        return Found::Nothing;
    }
    if bytes[Superblock::AT_CRC..] != crc32c(&bytes[..Superblock::AT_CRC]).to_le_bytes() {
        return Found::Damaged;
    }
    let version = u32::from_le_bytes(std::array::from_fn(|i| bytes[Superblock::AT_FORMAT_VERSION + i]));
    if u64::from(version) != FORMAT_VERSION {
        return Found::Version(version);
    }
    let Some(superblock) = Superblock::decode(bytes) else {
        return Found::Damaged;
    };
    let at_home = superblock.block_count >= 4
        && superblock.block_count <= 1 << 44
        && Geometry::superblock_block(superblock.block_count, position) == block;
    if superblock.position != position || u64::from(superblock.block_size) != LAYOUT_BLOCK_SIZE || !at_home {
        return Found::Damaged;
    }
    Found::Valid(Box::new(superblock))
}

fn no_superblock(found: &[Found; 4]) -> Error {
    let version = found.iter().find_map(|place| match place {
        Found::Version(version) => Some(*version),
        _ => None,
    });
    if let Some(version) = version {
        let text = format!("format version {version}; this program knows version {FORMAT_VERSION}");
        return Error::new(Code::NotSupported, text);
    }
    if found.iter().any(|place| matches!(place, Found::Damaged)) {
        return Error::new(Code::Corrupt, "all superblocks of this hn4 volume are damaged");
    }
    let unread = found.iter().find_map(|place| match place {
        Found::Unreadable(error) => Some(error.clone()),
        _ => None,
    });
    if let Some(error) = unread {
        return error;
    }
    Error::new(Code::InvalidArgument, "not an hn4 volume: no superblock at its start or end")
}

fn check_identity(s: &Superblock) -> Result<()> {
    let wrong = |what: &str| Err(Error::new(Code::Corrupt, format!("superblock: {what}")));
    if label(s).is_none() {
        return wrong("the label is not NUL-padded UTF-8");
    }
    if u64::from(s.descriptor_size) != DESCRIPTOR_SIZE {
        return wrong("descriptor_size is not 32");
    }
    if u64::from(s.shells) != SHELLS {
        return wrong("shells is not 2");
    }
    if s.generation == 0 {
        return wrong("generation is 0");
    }
    Ok(())
}

fn same_but_position(a: &Superblock, b: &Superblock) -> bool {
    Superblock { position: 0, crc: 0, ..*a } == Superblock { position: 0, crc: 0, ..*b }
}

#[cfg(test)]
#[path = "superblock_tests.rs"]
mod tests;
