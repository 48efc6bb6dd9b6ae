//! The four superblocks on a device (docs/format.md 1): the one in force, and its copies kept whole.

#[cfg(test)]
mod tests;

use crate::base::{AlignedBuf, Code, Error, Result};
use crate::device::Device;
use crate::format::layout::{FORMAT_VERSION, Superblock};
use crate::format::superblock::{self, Judged};
use crate::format::{DescriptorTable, Geometry};

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
        superblock::check_writable(&self.superblock)
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

/// What a place holds; an error of the device where it cannot be read.
type Found = Result<Judged>;

/// Finds the superblock in force and checks all of it against the device.
///
/// Errors: `InvalidArgument`: not an hn4 volume. `NotSupported`: a later version, unknown incompat
/// features or descriptors. `Corrupt`: no valid superblock, or one whose fields contradict each other or the device.
/// `Io`: no valid one among those that the device could read.
pub fn read(device: &dyn Device) -> Result<Opened> {
    read_for(device, &[DescriptorTable::PLAIN])
}

/// As [`read`], for whoever has the codecs of volumes with the `known` descriptors.
pub fn read_for(device: &dyn Device, known: &[DescriptorTable]) -> Result<Opened> {
    let opened = read_cut(device, known)?;
    let (wanted, size) = (opened.geometry.block_count, device.block_count());
    if wanted > size {
        let text = format!("the volume has {wanted} blocks, its device only {size}");
        return Err(Error::new(Code::Corrupt, text));
    }
    Ok(opened)
}

/// As [`read_for`], also where the device is shorter than the volume.
pub fn read_cut(device: &dyn Device, known: &[DescriptorTable]) -> Result<Opened> {
    let size = device.block_count();
    let mut found = [0, 1, 2, 3].map(|position| read_place(device, size, position));
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
    let geometry = superblock::check(&superblock, known)?;
    let places = found.map(|place| match place {
        Ok(Judged::Valid(s)) if superblock::same_but_position(&s, &superblock) => PlaceState::Current,
        Ok(Judged::Valid(_)) => PlaceState::Stale,
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
/// a `Stale` or `Bad` place. Corrupt: nobody would take it; nothing was written.
pub fn write_place(device: &dyn Device, superblock: &Superblock, position: u16) -> Result<()> {
    let block = Geometry::superblock_block(superblock.block_count, position);
    let bytes = superblock::encode(superblock, position);
    if superblock::judge(&bytes, block, position).valid().is_none() {
        let text = format!("superblock {position} is not written: it breaks a rule of its own");
        return Err(Error::new(Code::Corrupt, text));
    }
    superblock::check(superblock, &DescriptorTable::ALL)?;
    device.write(block, &bytes)
}

fn valid(found: &Found) -> Option<&Superblock> {
    found.as_ref().ok().and_then(Judged::valid)
}

fn read_place(device: &dyn Device, block_count: u64, position: u16) -> Found {
    if block_count < 4 {
        return Ok(Judged::Nothing);
    }
    let mut bytes = AlignedBuf::zeroed(1);
    let block = Geometry::superblock_block(block_count, position);
    device.read(block, &mut bytes)?;
    Ok(superblock::judge(&bytes, block, position))
}

fn no_superblock(found: &[Found; 4]) -> Error {
    let version = found.iter().find_map(|place| match place {
        Ok(Judged::Version(version)) => Some(*version),
        _ => None,
    });
    if let Some(version) = version {
        let text = format!("format version {version}; this program knows version {FORMAT_VERSION}");
        return Error::new(Code::NotSupported, text);
    }
    if found.iter().any(|place| matches!(place, Ok(Judged::Damaged))) {
        return Error::new(Code::Corrupt, "all superblocks of this hn4 volume are damaged");
    }
    let unread = found.iter().find_map(|place| place.as_ref().err().cloned());
    if let Some(error) = unread {
        return error;
    }
    Error::new(Code::InvalidArgument, "not an hn4 volume: no superblock at its start or end")
}
