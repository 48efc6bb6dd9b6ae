//! The disk of the model: cells, a volatile cache in front of them, and what a crash leaves.

/// Files; each transaction gives one of them new content.
pub const FILES: usize = 2;
/// Data blocks: too few to avoid using a freed one again.
pub const BLOCKS: usize = 4;
/// Blocks of the ring; a record takes one.
pub const RING: usize = 3;

pub const AT_RING: usize = BLOCKS;
pub const AT_PAGE: usize = AT_RING + RING;
pub const AT_CHECK: usize = AT_PAGE + 2;
pub const CELLS: usize = AT_CHECK + 2;

/// Where a file's content is: version (0: none yet) and block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Entry {
    pub version: u8,
    pub block: u8,
}

/// The one metadata page, or the state of all files after a transaction.
pub type Image = [Entry; FILES];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    pub epoch: u8,
    pub txn: u8,
    /// Names this very record: stands for its CRC.
    pub serial: u8,
    /// Serial of the record before.
    pub previous: u8,
    pub file: u8,
    pub entry: Entry,
}

/// A checkpoint block. Its two places are written together, so they are one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Check {
    pub generation: u8,
    pub epoch: u8,
    pub epoch_txn: u8,
    pub tail_epoch: u8,
    pub tail_txn: u8,
    /// Serial of the record before the tail.
    pub tail_serial: u8,
    pub proven: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cell {
    Blank,
    /// Written in part, or rotten: fails its checksum.
    Bad,
    Data {
        file: u8,
        version: u8,
    },
    Record(Record),
    Page(Image),
    Check(Check),
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Disk {
    stable: [Cell; CELLS],
    /// Writes since the last flush, oldest first.
    cache: Vec<(u8, Cell)>,
}

impl Disk {
    /// An empty, closed volume.
    pub fn formatted() -> Disk {
        let mut stable = [Cell::Blank; CELLS];
        stable[AT_PAGE..AT_CHECK].fill(Cell::Page(Image::default()));
        let check = Check {
            generation: 1,
            epoch: 1,
            epoch_txn: 2,
            tail_epoch: 1,
            tail_txn: 2,
            tail_serial: 0,
            proven: 1,
        };
        stable[AT_CHECK + 1] = Cell::Check(check);
        Disk { stable, cache: Vec::new() }
    }

    pub fn read(&self, at: usize) -> Cell {
        let cached = self.cache.iter().rev().find(|(cell, _)| usize::from(*cell) == at);
        cached.map_or(self.stable[at], |(_, content)| *content)
    }

    pub fn write(&mut self, at: usize, content: Cell) {
        self.cache.push((at as u8, content));
    }

    /// Everything written before is stable. (A write that races a real flush counts as written after it
    /// here; that it may also be stable earlier is covered by crashes, which keep any subset.)
    pub fn flush(&mut self) {
        for (at, content) in self.cache.drain(..) {
            self.stable[usize::from(at)] = content;
        }
    }

    /// Every disk that a power cut may leave: each cell keeps its old content, any of the writes that
    /// wait for it, or is torn.
    pub fn after_power_cut(&self) -> Vec<Disk> {
        let mut disks = vec![Disk { stable: self.stable, cache: Vec::new() }];
        for at in 0..CELLS {
            let mut outcomes: Vec<Cell> = Vec::new();
            for (_, content) in self.cache.iter().filter(|(cell, _)| usize::from(*cell) == at) {
                outcomes.push(*content);
            }
            if outcomes.is_empty() {
                continue;
            }
            outcomes.push(Cell::Bad);
            outcomes.retain(|content| *content != self.stable[at]);
            for i in 0..disks.len() {
                for content in &outcomes {
                    let mut disk = disks[i].clone();
                    disk.stable[at] = *content;
                    disks.push(disk);
                }
            }
        }
        disks
    }

    /// The disk with one cell rotten, for every cell but the doubled checkpoint blocks.
    pub fn with_one_rotten(&self) -> Vec<Disk> {
        let rot = |at: usize| {
            let mut disk = self.clone();
            disk.stable[at] = Cell::Bad;
            disk
        };
        (0..AT_CHECK).filter(|&at| !matches!(self.stable[at], Cell::Blank | Cell::Bad)).map(rot).collect()
    }
}

/// The ring block of a transaction's record.
pub fn ring_cell(txn: u8) -> usize {
    AT_RING + (usize::from(txn) - 2) % RING
}
