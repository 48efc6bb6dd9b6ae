//! Seal and check of a metadata page's trailer (docs/format.md 2).

use super::layout::{self, PageTrailer};
use super::{PageMap, Region};
use crate::base::crc32c;

/// A metadata page: 4032 bytes of payload and the trailer.
pub type PageBytes = [u8; layout::BLOCK_SIZE as usize];

const TRAILER: usize = layout::PAGE_PAYLOAD as usize;
const CRC_AT: usize = TRAILER + PageTrailer::AT_CRC;

/// Writes the trailer: after it the page is ready for the disk.
pub fn seal_page(bytes: &mut PageBytes, map: &PageMap, region: Region, number: u64, txn: u64) {
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
