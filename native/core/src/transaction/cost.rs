//! Log bytes that the kinds of change are charged: for each the upper end of what a record needs for it
//! (docs/format.md 7).
//!
//! What makes them safe: a transaction stops growing at an eighth of the log ([`super::Gate::limit`]), a
//! record is at most twice its estimate (asserted when one is built), so every record fits the quarter of
//! the ring that is kept free for it. What is placed or preallocated in one step is not charged before: it is
//! planned first, and no more of it done than there is room for ([`super::Gate::room`]).

use crate::format::DescriptorTable;

/// A slot of cortex or stash that changes.
pub const SLOT: u64 = 216;
/// An extension unit that changes.
pub const UNIT: u64 = 272;
/// A descriptor that changes, among others of its page.
pub const fn descriptor(table: DescriptorTable) -> u64 {
    24 + rest_of_stamp(table)
}
/// A run of map bits that change; the birth of a page.
pub const RUN: u64 = 24;
/// A whole page: its first change since a checkpoint, where metadata has one copy.
pub const PAGE: u64 = 4056;
/// A file's slot, written when the transaction closes.
pub const LISTED: u64 = 264;
/// A block of data at worst: its descriptor, the bit of the block it replaces.
pub const fn block(table: DescriptorTable) -> u64 {
    56 + rest_of_stamp(table)
}
/// A META block placed alone: descriptor, the old block's end, a change of a segment.
pub const fn meta(table: DescriptorTable) -> u64 {
    128 + rest_of_stamp(table)
}
/// Blocks side by side that become live together, at worst: one item, where they share a random part.
pub const fn piece(table: DescriptorTable, blocks: u64) -> u64 {
    if table.has_stamps() { blocks * block(table) } else { 56 + 4 * blocks }
}
/// A segment that is made, and one that it splits.
pub const SEGMENT: u64 = 40;
/// A block freed alone, with the change of a segment.
pub const FREE: u64 = 64;

/// Random part and tag of a descriptor that has them.
const fn rest_of_stamp(table: DescriptorTable) -> u64 {
    table.size - DescriptorTable::PLAIN.size
}
