//! The table of legal states (docs/format.md 3): what the type and the flags allow.

use super::form::{Blocks, Buffer, Form};
use super::forms::{CHAIN_FLAGS, FORM_FLAGS, FORMS, LATER_FLAGS};
use super::{Kind, Slot, corrupt};
use crate::base::{BlockNumber, Code, Error, Result};
use crate::format::Window;
use crate::format::layout::*;

/// What version 1 reserves: not damage, but nothing this version can serve.
const LATER: u64 = LATER_FLAGS
    | field(DATA_CLASS_WINDOW_SHIFT, DATA_CLASS_WINDOW_BITS)
    | field(DATA_CLASS_COPIES_SHIFT, DATA_CLASS_COPIES_BITS);

const KMAX: u64 = field(DATA_CLASS_KMAX_SHIFT, DATA_CLASS_KMAX_BITS);

/// Flags that announce a record in the extension chain.
const EXTENDED: u64 = CHAIN_FLAGS[0].0 | CHAIN_FLAGS[1].0 | CHAIN_FLAGS[2].0 | CHAIN_FLAGS[3].0;

const KNOWN: u64 = LATER | FORM_FLAGS | EXTENDED | KMAX | DATA_CLASS_TOMBSTONE | DATA_CLASS_TRUNCATING;

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
        if a.data_class & LATER != 0 {
            let detail = format!("anchor {}: data_class {:#x} needs a later version", a.number, a.data_class);
            return Err(Error::new(Code::NotSupported, detail));
        }
        self.demand(u64::from(self.kmax()) < SHELLS, "data_class (highest shell)")?;
        self.demand(a.tag_filter == 0, "tag_filter")?;
        self.demand(a.sovereign_id == 0, "sovereign_id")?;
        self.demand(u64::from(a.permissions) & !PERMISSIONS_KNOWN == 0, "permissions (unknown capability)")?;
        let form = self.form()?;
        self.check_attributes(form)?;
        self.check_equation()?;
        self.check_form(form)
    }

    /// The row of the table that the type and the flags choose.
    fn form(&self) -> Result<&'static Form> {
        let kind = self.kind()?;
        let has = self.anchor.data_class & FORM_FLAGS;
        let row = FORMS.iter().find(|form| form.has == has && form.kinds.contains(&kind));
        row.ok_or_else(|| corrupt(self.anchor.number, "data_class (no form of its type)"))
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

    fn check_attributes(&self, form: &Form) -> Result<()> {
        let t = &self.attributes;
        self.demand(!self.has(DATA_CLASS_TOMBSTONE) || t.nlink == 0, "nlink (of a tombstone)")?;
        self.demand(form.nlink_1 || t.nlink != 1, "nlink (of a directory)")?;
        self.demand(form.rdev || t.rdev == 0, "rdev")?;
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

    /// Flags, size, blocks and buffer are those of the row.
    fn check_form(&self, form: &Form) -> Result<()> {
        let a = &self.anchor;
        let kmax = if form.kmax { KMAX } else { 0 };
        if a.data_class & !(form.has | form.may | kmax) != 0 {
            return Err(corrupt(a.number, &format!("data_class (flag that no {} has)", form.name)));
        }
        self.demand((form.mass.0..=form.mass.1).contains(&a.mass), "mass")?;
        self.demand(!form.whole_blocks || a.mass % BLOCK_SIZE == 0, "mass (of a directory)")?;
        let content = a.mass.div_ceil(BLOCK_SIZE);
        let blocks = self.attributes.blocks;
        let fits = match self.block_rule(form) {
            Blocks::None => blocks == 0,
            Blocks::Content => blocks == content,
            Blocks::AtLeastContent => blocks >= content,
            Blocks::CopiesOfContent => blocks == content * if self.gravity_1()? == 0 { 1 } else { 2 },
            Blocks::Any => true,
        };
        self.demand(fits, "blocks")?;
        match form.buffer {
            Buffer::Zero => self.demand_zero_buffer(0),
            Buffer::Content => self.demand_zero_buffer(a.mass as usize),
            Buffer::FileState => self.check_file_state(),
            Buffer::DirectoryState => self.check_directory_state(content),
        }
    }

    /// A tombstone's blocks go while its size stays; a truncated file may own more than its size.
    fn block_rule(&self, form: &Form) -> Blocks {
        if self.has(DATA_CLASS_TOMBSTONE) {
            form.tombstone
        } else if self.has(DATA_CLASS_TRUNCATING) {
            form.truncating
        } else {
            form.blocks
        }
    }

    fn check_directory_state(&self, blocks: u64) -> Result<()> {
        let state = self.dir_state()?;
        self.demand(state.gravity_1 == 0 || self.anchor.gravity_center != 0, "gravity_1")?;
        self.demand(u64::from(state.depth) <= DIR_DEPTH_MAX, "depth")?;
        if self.has(DATA_CLASS_TOMBSTONE) {
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

    /// The inline buffer is zero from byte `from` on.
    fn demand_zero_buffer(&self, from: usize) -> Result<()> {
        self.demand(self.anchor.inline_buffer[from..].iter().all(|byte| *byte == 0), "inline_buffer")
    }
}
