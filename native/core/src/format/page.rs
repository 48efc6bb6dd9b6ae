//! Checksum and check of a metadata page's trailer (docs/format.md 2).

use super::layout::{self, PageTrailer};
use super::{PageMap, Region};
use crate::base::crc32c;

/// A metadata page: 4032 bytes of payload and the trailer.
pub type PageBytes = [u8; layout::BLOCK_SIZE as usize];

const TRAILER: usize = layout::PAGE_PAYLOAD as usize;
const TXN_AT: usize = TRAILER + PageTrailer::AT_TXN;
const CRC_AT: usize = TRAILER + PageTrailer::AT_CRC;

/// Writes the trailer: after it the page is ready for the disk.
pub fn checksum_page(bytes: &mut PageBytes, map: &PageMap, region: Region, number: u64, txn: u64) {
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

/// The transaction that wrote the page, or what is wrong with it.
pub fn verify_page(
    bytes: &PageBytes,
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

/// Notes the transaction in the trailer of a page image, for whoever writes its checksum.
pub fn set_page_txn(bytes: &mut PageBytes, txn: u64) {
    bytes[TXN_AT..TXN_AT + 8].copy_from_slice(&txn.to_le_bytes());
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
        checksum_page(&mut page, &map(7), Region::Cortex, 5, 99);
        page
    }

    #[test]
    fn a_checksummed_page_verifies_and_names_its_transaction() {
        let page = sample();
        assert_eq!(verify_page(&page, &map(7), Region::Cortex, 5), Ok(99));
        assert_eq!(page_txn(&page), 99);
        assert!(page[..TRAILER].iter().enumerate().all(|(i, &b)| b == (i * 7) as u8));
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let mut page = sample();
        for bit in 0..BLOCK_SIZE * 8 {
            page[bit / 8] ^= 1 << (bit % 8);
            assert!(verify_page(&page, &map(7), Region::Cortex, 5).is_err(), "bit {bit}");
            page[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_page_of_another_place_volume_or_kind_is_refused() {
        let page = sample();
        assert!(verify_page(&page, &map(7), Region::Cortex, 6).is_err());
        assert!(verify_page(&page, &map(7), Region::Stash, 5).is_err());
        assert!(verify_page(&page, &map(8), Region::Cortex, 5).is_err());
        assert!(verify_page(&[0; BLOCK_SIZE], &map(7), Region::Cortex, 5).is_err());
        let mut unborn = page;
        checksum_page(&mut unborn, &map(7), Region::Cortex, 5, 0);
        assert!(verify_page(&unborn, &map(7), Region::Cortex, 5).is_err());
        let mut reserved = page;
        reserved[TRAILER + 0x28] = 1;
        let crc = crc32c(&reserved[..CRC_AT]);
        reserved[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        assert!(verify_page(&reserved, &map(7), Region::Cortex, 5).is_err());
    }
}
