//! Where a block is, what makes it live, what frees it.
//!
//! Doors: Blocks, Blocks::*, Coder::*, Discarder::new, Leaving::*
//!
//! Window, descriptors, free map, allocator and the index of the overwrite area are private to
//! [`Blocks`] and always change together, inside the transaction that it is given.
//!
//! - Find: `find`, `find_run`, `recheck`; `window` for equations, `block` for the device's number.
//! - Change: `prepare` what will change, `plan` where a burst goes (`undo` if nothing came of it),
//!   `make_live`, `prepare_free` and `free`, `prove`; `drop_growth_windows`, `drop_old_growth_windows`,
//!   `discard_next`.
//! - Count: `busy_in_window`, `free_waits_for_proof`.
//! - The overwrite area: `overwrites_are_full`, `overwrites_share`, `in_overwrites`,
//!   `has_overwrites`, `overwrites_by_owner`, `overwrite_hint`.

mod area;
mod change;
mod codec;
mod discard;
mod find;
mod overwrites;
mod table;

use crate::allocator::Allocator;
use crate::base::{BlockNumber, DataNumber, Error, Result};
use crate::format::{Geometry, Window};
use crate::pages::PageCache;
use parking_lot::Mutex;
use std::sync::Arc;

use change::{FreeMap, Grown};
use overwrites::Overwrites;
use table::BlockTable;

pub(in crate::volume) use change::Leaving;
pub(in crate::volume) use codec::Coder;
pub(in crate::volume) use discard::Discarder;
pub(in crate::volume) use find::{Candidates, Extent, lost};
pub(in crate::volume) use table::BlockKey;

/// The data blocks of a volume.
pub(in crate::volume) struct Blocks {
    window: Window,
    table: BlockTable,
    overwrites: Overwrites,
    /// Bytes to stored bytes, and back.
    coder: Coder,
    /// Last of the locks.
    allocator: Mutex<Allocator>,
    grown: Mutex<Grown>,
    /// Where blocks are discarded as soon as they are free.
    discarder: Option<Discarder>,
}

impl Blocks {
    /// The blocks of a volume whose log has been replayed. Reads the overwrite area's descriptors; `damaged`
    /// gets those that cannot be read, and passes over them if it returns Ok.
    pub fn open(
        geometry: &Geometry,
        pages: &Arc<PageCache>,
        coder: Coder,
        damaged: &mut dyn FnMut(Error) -> Result<()>,
        discarder: Option<Discarder>,
    ) -> Result<Blocks> {
        let start = BlockNumber(geometry.window_start);
        let window = Window::new(start, geometry.window_blocks, geometry.area_blocks)?;
        let table = BlockTable::new(pages.clone(), geometry);
        Ok(Blocks {
            overwrites: Overwrites::build(&table, window.blocks(), window.data_blocks(), damaged)?,
            allocator: Mutex::new(Allocator::new(window, Box::new(FreeMap(pages.clone())))),
            grown: Mutex::default(),
            discarder,
            coder,
            table,
            window,
        })
    }

    pub fn window(&self) -> &Window {
        &self.window
    }

    /// The door between bytes and stored bytes.
    pub fn coder(&self) -> &Coder {
        &self.coder
    }

    /// Where the device has a block.
    pub fn block(&self, data: DataNumber) -> BlockNumber {
        self.window.block(data)
    }
}
