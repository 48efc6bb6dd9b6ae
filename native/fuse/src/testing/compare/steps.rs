//! What can be done, and the dice that choose.

use hn4_core::testing::Rng;

/// A path below the directory under test, of one to three short names.
pub type Name = String;

/// Open files are kept in so many places.
pub const PLACES: usize = 4;

#[derive(Clone, Debug)]
pub enum Step {
    Open { place: usize, name: Name, create: bool, exclusive: bool, truncate: bool, append: bool },
    Temporary { place: usize, name: Name },
    Publish { place: usize, name: Name },
    Close { place: usize },
    Write { place: usize, offset: u64, length: usize, byte: u8 },
    Append { place: usize, length: usize, byte: u8 },
    Read { place: usize, offset: u64, length: usize },
    SetSize { place: usize, size: u64 },
    Allocate { place: usize, kind: usize, offset: u64, length: u64 },
    Copy { from: usize, to: usize, from_offset: u64, to_offset: u64, length: usize },
    Describe { place: usize },
    Fsync { place: usize },
    Mkdir { name: Name },
    Mknod { name: Name, kind: usize },
    Symlink { name: Name, target: Name },
    ReadLink { name: Name },
    Link { name: Name, new: Name },
    Unlink { name: Name },
    Rmdir { name: Name },
    Rename { name: Name, new: Name, kind: usize },
    Stat { name: Name },
    List { name: Name },
    Chmod { name: Name, mode: u32 },
    Times { name: Name, seconds: i64 },
    SetAttribute { name: Name, key: usize, length: usize, kind: usize },
    GetAttribute { name: Name, key: usize },
    RemoveAttribute { name: Name, key: usize },
}

/// A seeded source of steps.
pub struct Dice(Rng);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(Rng::new(seed))
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0.below(limit)
    }

    fn byte(&mut self) -> u8 {
        self.0.next_u64() as u8
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    fn name(&mut self) -> Name {
        let depth = [1, 1, 1, 2, 2, 3][self.below(6) as usize];
        let part = |dice: &mut Dice| ["a", "b", "c", "d", "long-name-of-a-file"][dice.below(5) as usize];
        (0..depth).map(|_| part(self)).collect::<Vec<_>>().join("/")
    }

    fn place(&mut self) -> usize {
        self.below(PLACES as u64) as usize
    }

    /// Offsets near block borders are likelier.
    fn offset(&mut self) -> u64 {
        match self.below(3) {
            0 => self.below(6) * 4096,
            1 => (self.below(40) * 4096 + self.below(5)).saturating_sub(2),
            _ => self.below(150_000),
        }
    }

    fn length(&mut self) -> usize {
        (if self.one_in(4) { self.below(70_000) } else { self.below(5_000) }) as usize
    }

    pub fn step(&mut self) -> Step {
        let place = self.place();
        match self.below(40) {
            0..=5 => Step::Open {
                place,
                name: self.name(),
                create: !self.one_in(4),
                exclusive: self.one_in(4),
                truncate: self.one_in(5),
                append: self.one_in(6),
            },
            6 => Step::Temporary { place, name: self.name() },
            7 => Step::Publish { place, name: self.name() },
            8 => Step::Close { place },
            9..=12 => Step::Write { place, offset: self.offset(), length: self.length(), byte: self.byte() },
            13 => Step::Append { place, length: self.length(), byte: self.byte() },
            14..=16 => Step::Read { place, offset: self.offset(), length: self.length() },
            17 => Step::SetSize { place, size: self.offset() },
            18 => Step::Allocate {
                place,
                kind: self.below(4) as usize,
                offset: self.offset(),
                length: self.length() as u64,
            },
            19 => Step::Copy {
                from: place,
                to: self.place(),
                from_offset: self.offset(),
                to_offset: self.offset(),
                length: self.length(),
            },
            20 => Step::Describe { place },
            21 => Step::Fsync { place },
            22..=24 => Step::Mkdir { name: self.name() },
            25 => Step::Mknod { name: self.name(), kind: self.below(3) as usize },
            26 => Step::Symlink { name: self.name(), target: self.name() },
            27 => Step::ReadLink { name: self.name() },
            28 => Step::Link { name: self.name(), new: self.name() },
            29 => Step::Unlink { name: self.name() },
            30 => Step::Rmdir { name: self.name() },
            31..=33 => Step::Rename { name: self.name(), new: self.name(), kind: self.below(4) as usize },
            34 => Step::Stat { name: self.name() },
            35 => Step::List { name: self.name() },
            36 => Step::Chmod { name: self.name(), mode: self.0.next_u64() as u32 & 0o7777 | 0o700 },
            37 => {
                Step::Times { name: self.name(), seconds: self.below(4_000_000_000) as i64 - 1_000_000_000 }
            }
            38 => Step::SetAttribute {
                name: self.name(),
                key: self.below(3) as usize,
                length: self.below(200) as usize,
                kind: self.below(3) as usize,
            },
            _ if self.one_in(2) => Step::GetAttribute { name: self.name(), key: self.below(3) as usize },
            _ => Step::RemoveAttribute { name: self.name(), key: self.below(3) as usize },
        }
    }
}
