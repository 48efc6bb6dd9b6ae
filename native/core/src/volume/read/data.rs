//! Reading files: delayed blocks from memory, the rest from the device, verified.

use super::map::Holds;
use super::neighbours::{Advice, PART};
use crate::base::{BLOCK_SIZE, BlockBuf, Code, DataNumber, POOLED_BLOCKS_MAX, Result, now_ns};
use crate::format::{Kind, Stamp};
use crate::volume::Volume;
use crate::volume::blocks::Extent;
use crate::volume::inode::{Inode, View};
use std::sync::Arc;

const BLOCK: u64 = BLOCK_SIZE as u64;
/// atime moves at most once in this time unless the file changed since (relatime).
const DAY_NS: i64 = 86_400 * 1_000_000_000;

/// Blocks between two pieces that are read along rather than sought over.
const GAP_MAX: u64 = 32;
/// Blocks of one device read that joins pieces.
const SPAN_MAX: u64 = POOLED_BLOCKS_MAX as u64;

/// Largest file whose neighbours may be read along, blocks.
const SMALL_MAX: u64 = 8;

/// Bytes of a request that lie behind each other on the device.
struct Piece {
    index: u64,
    data: DataNumber,
    /// Bytes of its first block before the wanted ones.
    inside: usize,
    /// Where in the request they go, and how many.
    at: usize,
    len: usize,
    /// The first block's stamp, and of which copy it is.
    first_stamp: usize,
    copy: u8,
}

impl Piece {
    fn blocks(&self) -> u64 {
        ((self.inside + self.len) as u64).div_ceil(BLOCK)
    }
    fn end(&self) -> u64 {
        self.data.0 + self.blocks()
    }
    fn stamps<'a>(&self, all: &'a [Stamp]) -> &'a [Stamp] {
        &all[self.first_stamp..self.first_stamp + self.blocks() as usize]
    }
}

impl Volume {
    /// Fills `buf` from byte `offset`; fewer bytes only at the end of the file.
    pub fn read(&self, inode: &Arc<Inode>, offset: u64, buf: &mut [u8]) -> Result<usize> {
        if inode.kind != Kind::Regular {
            return Err(Code::InvalidArgument.into());
        }
        self.trim_meta();
        let file = inode.share();
        let end = file.size.min(offset.saturating_add(buf.len() as u64));
        if offset >= end {
            return Ok(0);
        }
        let length = (end - offset) as usize;
        self.read_locked(file.view(), offset, &mut buf[..length])?;
        let crowded = self.note_read(file.view());
        drop(file);
        if crowded {
            self.catch_up_on_read_times();
        }
        Ok(length)
    }

    /// As `read`, inside the file, under its lock.
    pub(super) fn read_locked(&self, file: View<'_>, offset: u64, buf: &mut [u8]) -> Result<()> {
        let mut done = 0;
        let (mut pieces, mut stamps) = (Vec::new(), Vec::new());
        while done < buf.len() {
            let at = offset + done as u64;
            let (index, inside) = (at / BLOCK, (at % BLOCK) as usize);
            let left = buf.len() - done;
            let mut mapping = self.mapping(file, index, ((inside + left) as u64).div_ceil(BLOCK))?;
            let mut placed = None;
            if mapping.holds == Holds::Block {
                let first_stamp = stamps.len();
                let extent = self.extent(file, index, mapping.count, |stamp| stamps.push(stamp))?;
                mapping.count = extent.count;
                placed = extent.written.then_some((extent, first_stamp));
            }
            let n = left.min((mapping.count as usize).saturating_mul(BLOCK_SIZE) - inside);
            let target = &mut buf[done..done + n];
            match (mapping.holds, placed) {
                (_, Some((Extent { data, copy, .. }, first_stamp))) => {
                    pieces.push(Piece { index, data, inside, at: done, len: n, first_stamp, copy });
                }
                (Holds::Memory, None) => {
                    let block = file.in_memory(index).expect("the mapping says so");
                    target.copy_from_slice(&block[inside..inside + n]);
                }
                (Holds::Inline, None) => copy_padded(file.slot.inline_content(), inside, target),
                (Holds::Hole | Holds::Block, None) => target.fill(0),
            }
            done += n;
        }
        self.read_pieces(file, pieces, &stamps, buf)
    }

    /// Reads what lies on the device, in its order: a file that was overwritten block by block is spread over few
    /// places, each still in the file's order.
    fn read_pieces(
        &self,
        file: View<'_>,
        mut pieces: Vec<Piece>,
        stamps: &[Stamp],
        buf: &mut [u8],
    ) -> Result<()> {
        if let [piece] = &pieces[..]
            && file.size <= SMALL_MAX * BLOCK
            && self.read_with_neighbours(file, piece, stamps, buf)
        {
            return Ok(());
        }
        pieces.sort_unstable_by_key(|piece| piece.data);
        let mut rest = &pieces[..];
        while let Some(first) = rest.first() {
            let mut end = first.end();
            let joined = rest[1..].iter().take_while(|next| {
                let near = next.data.0 <= end + GAP_MAX && next.end() - first.data.0 <= SPAN_MAX;
                end = if near { end.max(next.end()) } else { end };
                near
            });
            let (group, behind) = rest.split_at(1 + joined.count());
            let target = &mut buf[first.at..first.at + first.len];
            let is_aligned = first.inside == 0
                && first.len % BLOCK_SIZE == 0
                && target.as_ptr() as usize % BLOCK_SIZE == 0;
            if group.len() == 1 && is_aligned {
                let read = self.device.read(self.blocks.block(first.data), target);
                self.load_piece(file, first, stamps, &read, target)?;
            } else {
                let mut span = self.buffers.take((end - first.data.0) as usize);
                let read = self.device.read(self.blocks.block(first.data), &mut span);
                for piece in group {
                    let start = (piece.data.0 - first.data.0) as usize * BLOCK_SIZE;
                    let bytes = &mut span[start..start + piece.blocks() as usize * BLOCK_SIZE];
                    self.load_piece(file, piece, stamps, &read, bytes)?;
                    buf[piece.at..piece.at + piece.len]
                        .copy_from_slice(&bytes[piece.inside..piece.inside + piece.len]);
                }
            }
            rest = behind;
        }
        Ok(())
    }

    /// The bytes of a small file from what lies beside others that were read. False: it is to be read alone, where
    /// what is wrong with it shows.
    fn read_with_neighbours(&self, file: View<'_>, piece: &Piece, stamps: &[Stamp], buf: &mut [u8]) -> bool {
        let count = piece.blocks();
        let held = match self.neighbours.advise(piece.data, count, self.geometry.data_blocks()) {
            Advice::ReadAlone => return false,
            Advice::Held(held) => held,
            Advice::ReadPart(wanted) => {
                let mut part = self.buffers.take(PART as usize);
                if self.device.read(self.blocks.block(wanted.first()), &mut part).is_err() {
                    return false;
                }
                self.neighbours.keep(wanted, part)
            }
        };
        let mut bytes = self.buffers.take(count as usize);
        bytes.copy_from_slice(held.blocks(piece.data, count));
        let place = file.inode.place(piece.index, piece.copy);
        if self.blocks.coder().load(piece.data, &place, piece.stamps(stamps), &mut bytes).is_err() {
            self.neighbours.refuse();
            return false;
        }
        buf[piece.at..piece.at + piece.len].copy_from_slice(&bytes[piece.inside..piece.inside + piece.len]);
        true
    }

    /// Turns what was read of a piece into its bytes; from other copies, if it is not good.
    fn load_piece(
        &self,
        file: View<'_>,
        piece: &Piece,
        stamps: &[Stamp],
        read: &Result<()>,
        bytes: &mut [u8],
    ) -> Result<()> {
        let place = file.inode.place(piece.index, piece.copy);
        let loaded = match read {
            Ok(()) => self.blocks.coder().load(piece.data, &place, piece.stamps(stamps), bytes),
            Err(error) => Err(error.clone()),
        };
        match loaded {
            Ok(()) => Ok(()),
            Err(error) => self.read_other_copies(file, piece.index, piece.copy, error, bytes),
        }
    }

    /// Moves atime in memory; a later commit takes it to the disk. True: too many wait for that
    /// ([`Volume::set_read_time`]).
    pub(super) fn note_read(&self, file: View<'_>) -> bool {
        if self.options.read_only || self.options.noatime || file.inode.kind != Kind::Regular {
            return false;
        }
        let attributes = &file.slot.attributes;
        let shown = file.inode.read_at().unwrap_or(attributes.atime);
        let now = now_ns();
        if shown <= file.slot.anchor.mod_clock
            || shown <= attributes.ctime
            || now.saturating_sub(shown) > DAY_NS
        {
            return self.set_read_time(file.inode, now);
        }
        false
    }

    /// The newest bytes of one block, zeros for holes: the base of a partial write.
    pub fn read_block(&self, file: View<'_>, index: u64) -> Result<Arc<BlockBuf>> {
        let mut block = BlockBuf::zeroed();
        match self.mapping(file, index, 1)?.holds {
            Holds::Memory => return Ok(file.in_memory(index).expect("the mapping says so").clone()),
            Holds::Inline => copy_padded(file.slot.inline_content(), 0, &mut block[..]),
            Holds::Hole => {}
            Holds::Block => {
                let mut stamps = Vec::new();
                let Extent { data, copy, written, .. } =
                    self.extent(file, index, 1, |stamp| stamps.push(stamp))?;
                if written {
                    let read = self.device.read(self.blocks.block(data), &mut block[..]);
                    let piece =
                        Piece { index, data, inside: 0, at: 0, len: BLOCK_SIZE, first_stamp: 0, copy };
                    self.load_piece(file, &piece, &stamps, &read, &mut block[..])?;
                }
            }
        }
        Ok(Arc::new(block))
    }
}

/// Copies `from[at..]` and fills the rest with zeros.
fn copy_padded(from: &[u8], at: usize, to: &mut [u8]) {
    let source = from.get(at..).unwrap_or(&[]);
    let n = source.len().min(to.len());
    to[..n].copy_from_slice(&source[..n]);
    to[n..].fill(0);
}
