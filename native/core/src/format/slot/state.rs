//! The table of legal states (docs/format.md 3): what the type and the flags allow.

use super::{Kind, NUMBER_END, Slot, corrupt};
use crate::base::{BlockNumber, Code, Error, Result};
use crate::format::Window;
use crate::format::layout::*;

/// Flags that version 1 reserves: not damage, but nothing this version can serve.
const RESERVED_FEATURES: u64 = DATA_CLASS_ENCRYPTED
    | DATA_CLASS_COMPRESSED
    | DATA_CLASS_LUDIC
    | DATA_CLASS_HAS_TAGS
    | DATA_CLASS_SEALED
    | field(DATA_CLASS_WINDOW_SHIFT, DATA_CLASS_WINDOW_BITS)
    | field(DATA_CLASS_COPIES_SHIFT, DATA_CLASS_COPIES_BITS);

const KMAX: u64 = field(DATA_CLASS_KMAX_SHIFT, DATA_CLASS_KMAX_BITS);

/// Flags that any type may have.
const COMMON: u64 = DATA_CLASS_TOMBSTONE | DATA_CLASS_HAS_XATTR | DATA_CLASS_HAS_ACL;

/// Flags of types that own blocks.
const OWNER: u64 = COMMON | DATA_CLASS_TRUNCATING | DATA_CLASS_HAS_SEGMENTS | KMAX;

/// Flags that announce a record in the extension chain.
const EXTENDED: u64 =
    DATA_CLASS_HAS_SEGMENTS | DATA_CLASS_HAS_XATTR | DATA_CLASS_HAS_ACL | DATA_CLASS_LONG_SYMLINK;

const KNOWN: u64 =
    RESERVED_FEATURES | OWNER | DATA_CLASS_INLINE | DATA_CLASS_SPARSE | DATA_CLASS_LONG_SYMLINK;

const PERMISSIONS_KNOWN: u64 = 0xffff | PERMISSION_IMMUTABLE | PERMISSION_APPEND;

const NANOSECONDS: u32 = 1_000_000_000;

const fn field(shift: u32, bits: u32) -> u64 {
    ((1 << bits) - 1) << shift
}

impl Slot {
    /// Checks every rule that needs no knowledge of the volume. Errors: `Corrupt` with the field
    /// that breaks it; `NotSupported` for features that version 1 only reserves.
    pub fn check(&self) -> Result<()> {
        let a = &self.anchor;
        self.check_identity()?;
        self.demand(a.data_class & !KNOWN == 0, "data_class (unknown flag)")?;
        if a.data_class & RESERVED_FEATURES != 0 {
            let detail = format!("anchor {}: data_class {:#x} needs a later version", a.number, a.data_class);
            return Err(Error::new(Code::NotSupported, detail));
        }
        self.demand(u64::from(self.kmax()) < SHELLS, "data_class (highest shell)")?;
        self.demand(a.tag_filter == 0, "tag_filter")?;
        self.demand(a.sovereign_id == 0, "sovereign_id")?;
        self.demand(u64::from(a.permissions) & !PERMISSIONS_KNOWN == 0, "permissions (unknown capability)")?;
        self.check_attributes()?;
        self.check_equation()?;
        match self.kind()? {
            Kind::Regular => self.check_regular(),
            Kind::Directory => self.check_directory(),
            Kind::Symlink => self.check_symlink(),
            Kind::Fifo | Kind::Socket | Kind::CharDevice | Kind::BlockDevice => self.check_special(),
        }
    }

    /// Checks what depends on the volume: the blocks owned against its data blocks, the equation and the G
    /// of copy 1 against the window, the extension against its region of `units` units. Call after [`Slot::check`]. Error: `Corrupt`.
    pub fn check_against(&self, window: &Window, units: u64) -> Result<()> {
        let a = &self.anchor;
        self.demand(self.attributes.extension < units, "extension (outside its region)")?;
        self.demand(self.attributes.blocks <= window.data_blocks(), "blocks (more than the volume has)")?;
        if a.gravity_center == 0 {
            return Ok(());
        }
        let legal =
            |gravity: u64| window.equation(BlockNumber(gravity), a.orbit_vector, a.fractal_scale).is_ok();
        self.demand(a.orbit_vector < window.phi(a.fractal_scale), "orbit_vector (not below phi)")?;
        self.demand(legal(a.gravity_center), "gravity_center (outside the window)")?;
        let gravity_1 = self.gravity_1()?;
        self.demand(gravity_1 == 0 || legal(gravity_1), "gravity_1 (outside the window)")
    }

    /// G of copy 1 as a block number, 0 if there is none. Error: `Corrupt` if the inline buffer has
    /// a reserved byte set.
    pub fn gravity_1(&self) -> Result<u64> {
        match self.kind()? {
            Kind::Directory => Ok(self.dir_state()?.gravity_1),
            Kind::Regular if self.has(DATA_CLASS_SPARSE) => Ok(self.file_state()?.gravity_1),
            _ => Ok(0),
        }
    }

    fn demand(&self, holds: bool, field: &str) -> Result<()> {
        if holds { Ok(()) } else { Err(corrupt(self.anchor.number, field)) }
    }

    fn check_identity(&self) -> Result<()> {
        let a = &self.anchor;
        let system = (INO_ROOT..=INO_KEYS).contains(&a.number);
        self.demand(system || (INO_FIRST..NUMBER_END).contains(&a.number), "number")?;
        self.demand(!system || (a.hint == 0 && a.random == 0), "seed_id (of a system file)")
    }

    fn check_attributes(&self) -> Result<()> {
        let t = &self.attributes;
        let kind = self.kind()?;
        self.demand(!self.has(DATA_CLASS_TOMBSTONE) || t.nlink == 0, "nlink (of a tombstone)")?;
        self.demand(kind != Kind::Directory || t.nlink != 1, "nlink (of a directory)")?;
        self.demand(kind.is_device() || t.rdev == 0, "rdev")?;
        self.demand(t.btime_ns < NANOSECONDS, "btime_ns")?;
        self.demand(t.parent_number < NUMBER_END, "parent_number")?;
        self.demand((t.extension != 0) == self.has(EXTENDED), "extension")
    }

    /// G, V, M: all set or all zero, and set exactly when the file owns blocks.
    fn check_equation(&self) -> Result<()> {
        let a = &self.anchor;
        self.demand((a.gravity_center != 0) == (self.attributes.blocks != 0), "gravity_center")?;
        if a.gravity_center == 0 {
            self.demand(a.orbit_vector == 0, "orbit_vector")?;
            return self.demand(a.fractal_scale == 0, "fractal_scale");
        }
        self.demand(a.orbit_vector != 0, "orbit_vector")?;
        self.demand(u64::from(a.fractal_scale) <= SCALE_MAX, "fractal_scale")
    }

    fn check_regular(&self) -> Result<()> {
        let a = &self.anchor;
        let (inline, sparse) = (self.has(DATA_CLASS_INLINE), self.has(DATA_CLASS_SPARSE));
        self.allow(OWNER | DATA_CLASS_INLINE | DATA_CLASS_SPARSE)?;
        if inline {
            self.demand(!self.has(DATA_CLASS_SPARSE | DATA_CLASS_TRUNCATING), "data_class (inline)")?;
            return self.check_inline();
        }
        self.demand(a.mass <= FILE_BLOCKS_MAX * BLOCK_SIZE, "mass")?;
        if sparse {
            return self.check_file_state();
        }
        let expected = a.mass.div_ceil(BLOCK_SIZE);
        let blocks = self.attributes.blocks;
        // A tombstone's blocks go while its size stays; a truncated file may own more than its size.
        let fits = if self.has(DATA_CLASS_TOMBSTONE) {
            true
        } else if self.has(DATA_CLASS_TRUNCATING) {
            blocks >= expected
        } else {
            blocks == expected
        };
        self.demand(fits, "blocks")?;
        self.demand_zero_buffer()
    }

    fn check_symlink(&self) -> Result<()> {
        self.allow(COMMON | DATA_CLASS_INLINE | DATA_CLASS_LONG_SYMLINK)?;
        self.demand(self.attributes.blocks == 0, "blocks")?;
        match (self.has(DATA_CLASS_INLINE), self.has(DATA_CLASS_LONG_SYMLINK)) {
            (true, false) => self.check_inline(),
            (false, true) => {
                self.demand((INLINE_MAX + 1..=SYMLINK_MAX).contains(&self.anchor.mass), "mass")?;
                self.demand_zero_buffer()
            }
            _ => self.demand(false, "data_class (symlink)"),
        }
    }

    fn check_special(&self) -> Result<()> {
        self.allow(COMMON)?;
        self.demand(self.attributes.blocks == 0, "blocks")?;
        self.demand(self.anchor.mass == 0, "mass")?;
        self.demand_zero_buffer()
    }

    fn check_inline(&self) -> Result<()> {
        self.demand((1..=INLINE_MAX).contains(&self.anchor.mass), "mass")?;
        self.demand(self.attributes.blocks == 0, "blocks")?;
        let rest = &self.anchor.inline_buffer[self.anchor.mass as usize..];
        self.demand(rest.iter().all(|byte| *byte == 0), "inline_buffer")
    }

    fn check_directory(&self) -> Result<()> {
        let a = &self.anchor;
        self.allow(OWNER)?;
        let state = self.dir_state()?;
        let leaving = self.has(DATA_CLASS_TOMBSTONE | DATA_CLASS_TRUNCATING);
        let blocks = a.mass / BLOCK_SIZE;
        let copies = if state.gravity_1 == 0 { 1 } else { 2 };
        self.demand(a.mass % BLOCK_SIZE == 0 && blocks <= u64::from(u32::MAX), "mass")?;
        self.demand(leaving || self.attributes.blocks == blocks * copies, "blocks")?;
        self.demand(state.gravity_1 == 0 || a.gravity_center != 0, "gravity_1")?;
        self.demand(u64::from(state.depth) <= DIR_DEPTH_MAX, "depth")?;
        if leaving {
            return Ok(());
        }
        self.demand((state.entries == 0) == (blocks == 0), "entries")?;
        let index_blocks =
            if state.depth == 0 { 0 } else { (1u64 << state.depth).div_ceil(DIR_INDEX_ENTRIES) };
        self.demand(u64::from(state.index_blocks) == index_blocks, "index_blocks")?;
        self.demand((state.index_first != 0) == (index_blocks != 0), "index_first")?;
        self.demand(blocks == 0 || u64::from(state.index_first) < blocks, "index_first")?;
        // Without an index there is one leaf; with one, at least a leaf beside it.
        self.demand(if index_blocks == 0 { blocks <= 1 } else { blocks > index_blocks }, "mass")
    }

    fn check_file_state(&self) -> Result<()> {
        let state = self.file_state()?;
        let leaving = self.has(DATA_CLASS_TOMBSTONE | DATA_CLASS_TRUNCATING);
        let owner = self.attributes.blocks != 0;
        self.demand(state.height <= 3, "height")?;
        self.demand(owner || state.gravity_1 == 0, "gravity_1")?;
        self.demand(owner || state.root == 0, "root")?;
        self.demand(leaving || !owner || state.root != 0, "root")
    }

    /// Flags outside `flags` belong to another type.
    fn allow(&self, flags: u64) -> Result<()> {
        self.demand(self.anchor.data_class & !flags == 0, "data_class (flag of another type)")
    }

    fn demand_zero_buffer(&self) -> Result<()> {
        self.demand(self.anchor.inline_buffer.iter().all(|byte| *byte == 0), "inline_buffer")
    }
}
