//! stub
use super::Volume;
use super::inode::{Inode, InodeState};
use crate::base::{Code, Result};
impl Volume {
    pub(super) fn presence_run(&self, _i: &Inode, _s: &InodeState, _index: u64, _max: u64) -> Result<(bool, u64)> { Err(Code::NotSupported.into()) }
    pub(super) fn next_present(&self, _i: &Inode, _s: &InodeState, _index: u64, _end: u64) -> Result<Option<(u64, u64)>> { Err(Code::NotSupported.into()) }
    pub(super) fn presence_need(&self, _i: &Inode, _s: &InodeState, _first: u64, _last: u64, _any: bool) -> Result<u64> { Ok(0) }
    pub(super) fn become_sparse(&self, _i: &Inode, _s: &mut InodeState) -> Result<()> { Err(Code::NotSupported.into()) }
    pub(super) fn stop_being_sparse(&self, _s: &mut InodeState) {}
    pub(super) fn clear_present(&self, _i: &Inode, _s: &mut InodeState, _first: u64, _count: u64) -> Result<()> { Err(Code::NotSupported.into()) }
    pub(super) fn set_present(&self, _i: &Inode, _s: &mut InodeState, _first: u64, _count: u64) -> Result<()> { Err(Code::NotSupported.into()) }
    pub(super) fn load_nodes(&self, _i: &Inode, _s: &InodeState, _first: u64, _count: u64) -> Result<()> { Err(Code::NotSupported.into()) }
    pub(super) fn settle_nodes(&self, _s: &mut InodeState) {}
    pub(super) fn presence_state(&self, _s: &InodeState) -> (u8, u64) { (0, 0) }
}
