//! The payload of a cortex or stash page: 21 slots in no order.

use super::homes::Key;
use super::store::SlotPage;
use crate::format::layout::{PAGE_PAYLOAD, SLOTS_PER_PAGE};
use crate::format::slot::{SLOT_SIZE, SlotBytes, checksum_holds, is_empty};

/// Slots of a page.
pub const SLOTS: usize = SLOTS_PER_PAGE as usize;

/// A copy of a page's payload, taken under its internal lock.
pub type Payload = [u8; PAGE_PAYLOAD as usize];

/// Copies the payload out, for work that should not hold the page's internal lock.
pub fn snapshot<P: SlotPage>(page: &P) -> Payload {
    page.with(|payload| payload.try_into().expect("a payload of 4032 bytes"))
}

/// The bytes of slot `index`.
pub fn slot(payload: &[u8], index: usize) -> &SlotBytes {
    payload[index * SLOT_SIZE..][..SLOT_SIZE].try_into().expect("192 bytes")
}

/// Is slot `index` empty? The number is looked at first: it is 0 only in an empty or a damaged slot.
fn slot_is_empty(payload: &[u8], index: usize) -> bool {
    let bytes = slot(payload, index);
    bytes[..8] == [0; 8] && is_empty(bytes)
}

/// Slots in use, the damaged ones included.
pub fn used(payload: &[u8]) -> usize {
    (0..SLOTS).filter(|index| !slot_is_empty(payload, *index)).count()
}

/// The first empty slot.
pub fn free_slot(payload: &[u8]) -> Option<usize> {
    (0..SLOTS).find(|index| slot_is_empty(payload, *index))
}

/// The slot of this anchor and its bytes. A damaged slot never matches.
pub fn find(payload: &[u8], key: Key) -> Option<(usize, SlotBytes)> {
    (0..SLOTS).find_map(|index| {
        let bytes = slot(payload, index);
        (Key::of(bytes) == key && checksum_holds(bytes)).then_some((index, *bytes))
    })
}
