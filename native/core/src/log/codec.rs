//! Between a log record in memory and its bytes in the ring (docs/format.md 7): one function for each
//! direction.

use crate::base::{Code, Error, Result, crc32c_append};
use crate::format::layout::LogRecord;

/// Turns a record (header, items, zeros to the end of its last block) into the bytes for the ring, in
/// place. Gives its CRC, which the record after it names.
pub(super) fn store_record(bytes: &mut [u8]) -> u32 {
    let crc = record_crc(bytes);
    bytes[LogRecord::AT_CRC..LogRecord::SIZE].copy_from_slice(&crc.to_le_bytes());
    crc
}

/// Turns what the ring holds into the record, in place. `header`: as it stands there, with all `bytes` its
/// record's. Error: `Corrupt`; then the bytes mean nothing.
pub(super) fn load_record(bytes: &mut [u8], header: &LogRecord) -> Result<()> {
    if record_crc(bytes) != header.crc {
        return Err(Error::new(Code::Corrupt, "the record fails its checksum"));
    }
    Ok(())
}

/// CRC32C of a record's stored bytes (its first block, or all) with the CRC field taken as zero.
pub(super) fn record_crc(bytes: &[u8]) -> u32 {
    let crc = crc32c_append(0, &bytes[..LogRecord::AT_CRC]);
    let crc = crc32c_append(crc, &[0; 4]);
    crc32c_append(crc, &bytes[LogRecord::SIZE..])
}

const _: () = assert!(LogRecord::AT_CRC + 4 == LogRecord::SIZE);
