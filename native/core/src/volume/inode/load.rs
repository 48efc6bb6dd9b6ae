//! Finding files: from number and hint to the inode in memory.

use super::Inode;
use crate::base::{BlockNumber, Code, Error, Ino, Result};
use crate::directory::Entry;
use crate::format::{Equations, Kind, SegmentMap, Slot, SlotBytes, is_later, layout, seed_hash};
use crate::transaction::Transaction;
use crate::volume::Volume;
use std::sync::Arc;

impl Volume {
    /// The file with this number. NotFound: no anchor has it.
    pub fn inode(&self, number: Ino, hint: u32) -> Result<Arc<Inode>> {
        self.inodes.get(number, hint, |hint| self.load_reporting(number, hint))
    }

    /// A file that the front end has looked up. Stale: it has not, or the file is the volume's own.
    pub fn by_ino(&self, number: Ino) -> Result<Arc<Inode>> {
        if number != layout::INO_ROOT && number < layout::INO_FIRST {
            return Err(Code::Stale.into());
        }
        self.inodes.by_ino(number, |hint| self.load_reporting(number, hint))
    }

    /// The file that an entry of `directory` names. Corrupt: it has no anchor, or the hint, random part or type
    /// of the entry are not the anchor's.
    pub fn inode_of_entry(&self, directory: Ino, entry: &Entry) -> Result<Arc<Inode>> {
        let number = entry.seed.number;
        let wrong = |what: &str| {
            Error::new(Code::Corrupt, format!("directory {directory}: an entry names file {number}, {what}"))
        };
        let inode = self.inode(number, entry.seed.hint).map_err(|error| match error.code {
            Code::NotFound => wrong("which has no anchor"),
            _ => error,
        })?;
        if (inode.hint, inode.random) != (entry.seed.hint, entry.seed.random) {
            return Err(wrong("whose seed_id is another"));
        }
        if inode.kind.number() != entry.kind {
            return Err(wrong("which is of another type"));
        }
        Ok(inode)
    }

    /// As `load_inode`; damage is told to whoever mounted, too.
    fn load_reporting(&self, number: Ino, hint: u32) -> Result<Inode> {
        self.load_inode(number, hint).inspect_err(|error| {
            if error.code != Code::NotFound {
                self.reporter.error(error);
            }
        })
    }

    fn load_inode(&self, number: Ino, hint: u32) -> Result<Inode> {
        let Some((at, bytes)) = self.cortex.find(number, hint)? else {
            return Err(Code::NotFound.into());
        };
        let slot = Slot::decode(&bytes)?;
        slot.check_against(self.blocks.window(), self.geometry.units())?;
        if is_later(slot.anchor.write_gen, self.pages.get(at.region, at.page)?.txn()) {
            let text = format!("anchor {number} is of a later transaction than its page");
            return Err(Error::new(Code::Corrupt, text));
        }
        if self.numbers.learn(number) {
            self.reporter.line(&format!(
                "file {number} exists, and the volume's counter says that no such number was given: it is put \
                 right as far as that; run fsck.hn4 -n"
            ));
        }
        let kind = slot.kind()?;
        let mut equations = self.equations(&slot)?;
        if slot.has(layout::DATA_CLASS_HAS_SEGMENTS | layout::DATA_CLASS_HAS_ACL) {
            match self.segments_of(&slot) {
                Ok(segments) => equations.segments = segments,
                // Its attributes are left; without its segments no equation holds.
                Err(error) if self.options.rescue && !slot.has(layout::DATA_CLASS_HAS_ACL) => {
                    self.reporter.error(&error);
                    (equations.anchor, equations.gravity_1) = (None, None);
                }
                Err(error) => return Err(error),
            }
        }
        let mut inode = Inode::new(slot, kind, equations);
        if slot.attributes.nlink == 0 || slot.has(layout::DATA_CLASS_TRUNCATING) {
            inode.state.get_mut().orphaned = true;
            // Whoever began to free its blocks did not end it.
            inode.doubt();
        }
        Ok(inode)
    }

    fn segments_of(&self, slot: &Slot) -> Result<SegmentMap> {
        let segments = self.chain_of(slot)?.payload(layout::EXTENSION_SEGMENTS);
        SegmentMap::load(self.blocks.window(), &segments)
    }

    /// The rules that a slot follows when it is loaded. Errors: those of [`Slot::check`].
    fn check_slot(&self, slot: &Slot) -> Result<()> {
        slot.check()?;
        slot.check_against(self.blocks.window(), self.geometry.units())
    }

    /// The bytes of a slot for the cortex, by the rules by which it will be loaded. Corrupt: it would not be: it
    /// must not be written.
    pub fn encode_slot(&self, slot: &Slot) -> Result<SlotBytes> {
        self.check_slot(slot).map_err(|error| {
            Error::new(Code::Corrupt, format!("a slot is not written: {} would be illegal", error.detail()))
        })?;
        Ok(slot.encode())
    }

    /// The anchor's equations, without segments.
    fn equations(&self, slot: &Slot) -> Result<Equations> {
        let mut equations = Equations::empty(self.blocks.window(), self.shell_hash(slot));
        let anchor = &slot.anchor;
        if anchor.gravity_center == 0 {
            return Ok(equations);
        }
        let center = BlockNumber(anchor.gravity_center);
        equations.anchor =
            Some(self.blocks.window().equation(center, anchor.orbit_vector, anchor.fractal_scale)?);
        let gravity_1 = match slot.kind()? {
            Kind::Directory => slot.dir_state()?.gravity_1,
            _ if slot.has(layout::DATA_CLASS_SPARSE) => slot.file_state()?.gravity_1,
            _ => 0,
        };
        if gravity_1 != 0 {
            let equation = self.blocks.window().equation(
                BlockNumber(gravity_1),
                anchor.orbit_vector,
                anchor.fractal_scale,
            )?;
            equations.gravity_1 = Some(equation.gravity);
        }
        Ok(equations)
    }

    fn shell_hash(&self, slot: &Slot) -> u64 {
        seed_hash(&self.geometry.hash_key, &slot.seed_id())
    }

    /// A file that is being made.
    pub fn new_inode(&self, slot: Slot, kind: Kind) -> Inode {
        Inode::new(slot, kind, Equations::empty(self.blocks.window(), self.shell_hash(&slot)))
    }

    /// An empty slot for a new number.
    pub fn blank_slot(&self, tx: &Transaction<'_>, number: Ino, hint: u32) -> Slot {
        let mut slot = Slot::fields(&crate::format::slot::EMPTY);
        slot.anchor.number = number;
        slot.anchor.hint = hint;
        slot.anchor.random = if self.options.sequential { number as u32 } else { random_u32() };
        slot.anchor.public_id = slot.seed_id();
        slot.anchor.write_gen = tx.number() as u32;
        slot
    }
}

/// Random bits of a new seed_id: they tell apart numbers of different lives, nothing depends on
/// them being secret.
fn random_u32() -> u32 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish() as u32
}
