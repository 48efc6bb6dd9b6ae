//! Between a metadata page in memory and its bytes on the disk (docs/format.md 2): one function for each
//! direction.

use super::layout::{self, PageTrailer};
use super::{PageMap, Region};
use crate::base::crc32c;

/// A metadata page: 4032 bytes of payload and the trailer.
pub type PageBytes = [u8; layout::BLOCK_SIZE as usize];

const TRAILER: usize = layout::PAGE_PAYLOAD as usize;
const TXN_AT: usize = TRAILER + PageTrailer::AT_TXN;
const CRC_AT: usize = TRAILER + PageTrailer::AT_CRC;

/// Turns a page image into the bytes for the disk, in place: it gets its trailer.
pub fn store_page(bytes: &mut PageBytes, map: &PageMap, region: Region, number: u64, txn: u64) {
    let trailer = PageTrailer {
        magic: layout::PAGE_MAGIC as u32,
        region: region as u16,
        page: number,
        txn,
        salt: map.salt,
        crc: 0,
    };
    trailer.encode(&mut bytes[TRAILER..]);
    let crc = crc32c(&bytes[..CRC_AT]);
    bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
}

/// Turns what the disk holds into the page image, in place. Gives the transaction that wrote the page, or
/// says what is wrong with it; then the bytes mean nothing.
pub fn load_page(
    bytes: &mut PageBytes,
    map: &PageMap,
    region: Region,
    number: u64,
) -> Result<u64, &'static str> {
    let Some(trailer) = PageTrailer::decode(&bytes[TRAILER..]) else {
        return Err("reserved trailer bytes are set");
    };
    if trailer.magic != layout::PAGE_MAGIC as u32 {
        return Err("no page magic");
    }
    if trailer.crc != crc32c(&bytes[..CRC_AT]) {
        return Err("checksum mismatch");
    }
    if trailer.salt != map.salt {
        return Err("page of another volume");
    }
    if trailer.region != region as u16 || trailer.page != number {
        return Err("page of another place");
    }
    if trailer.txn == 0 {
        return Err("page without a transaction");
    }
    Ok(trailer.txn)
}

/// The transaction in the trailer of a page image, with a good checksum or not; 0 for a blank one.
pub fn page_txn(bytes: &PageBytes) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| bytes[TXN_AT + i]))
}

/// Notes the transaction in the trailer of a page image, for whoever stores it.
pub fn set_page_txn(bytes: &mut PageBytes, txn: u64) {
    bytes[TXN_AT..TXN_AT + 8].copy_from_slice(&txn.to_le_bytes());
}

/// Whether something that notes the low 32 bits of its transaction is of a later one than `txn`, which changed its
/// page last. From 2^32 transactions on nobody can tell: those of something old look like any other.
pub fn is_later(generation: u32, txn: u64) -> bool {
    u64::from(generation) > txn && txn <= u64::from(u32::MAX)
}

/// Bit `i` of a map page: bit i mod 8 of byte i / 8.
pub fn bit(bytes: &PageBytes, i: u64) -> bool {
    bytes[i as usize / 8] >> (i % 8) & 1 == 1
}

/// Sets or clears bit `i` of a map page.
pub fn set_bit(bytes: &mut PageBytes, i: u64, value: bool) {
    let mask = 1 << (i % 8);
    if value { bytes[i as usize / 8] |= mask } else { bytes[i as usize / 8] &= !mask }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{BLOCK_SIZE, BlockNumber};

    fn map(salt: u8) -> PageMap {
        PageMap { copy_a: BlockNumber(0), copy_b: None, pages: [1; 9], salt: [salt; 16] }
    }

    fn sample() -> PageBytes {
        let mut page: PageBytes = std::array::from_fn(|i| (i * 7) as u8);
        store_page(&mut page, &map(7), Region::Cortex, 5, 99);
        page
    }

    #[test]
    fn a_stored_page_loads_and_names_its_transaction() {
        let mut page = sample();
        assert_eq!(load_page(&mut page, &map(7), Region::Cortex, 5), Ok(99));
        assert_eq!(page_txn(&page), 99);
        assert!(page[..TRAILER].iter().enumerate().all(|(i, &b)| b == (i * 7) as u8));
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let mut page = sample();
        for bit in 0..BLOCK_SIZE * 8 {
            page[bit / 8] ^= 1 << (bit % 8);
            assert!(load_page(&mut page.clone(), &map(7), Region::Cortex, 5).is_err(), "bit {bit}");
            page[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_page_of_another_place_volume_or_kind_is_refused() {
        let page = sample();
        assert!(load_page(&mut page.clone(), &map(7), Region::Cortex, 6).is_err());
        assert!(load_page(&mut page.clone(), &map(7), Region::Stash, 5).is_err());
        assert!(load_page(&mut page.clone(), &map(8), Region::Cortex, 5).is_err());
        assert!(load_page(&mut [0; BLOCK_SIZE], &map(7), Region::Cortex, 5).is_err());
        let mut unborn = page;
        store_page(&mut unborn, &map(7), Region::Cortex, 5, 0);
        assert!(load_page(&mut unborn.clone(), &map(7), Region::Cortex, 5).is_err());
        let mut reserved = page;
        reserved[TRAILER + 0x28] = 1;
        let crc = crc32c(&reserved[..CRC_AT]);
        reserved[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        assert!(load_page(&mut reserved.clone(), &map(7), Region::Cortex, 5).is_err());
    }
}
