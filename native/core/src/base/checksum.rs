//! CRC32C (Castagnoli), the checksum of every record and block (RFC 3720 appendix B.4).

use super::siphash::siphash24;
use super::{Code, Error, Result};

/// CRC32C of `data`; of `b"123456789"` it is 0xe3069283.
pub fn crc32c(data: &[u8]) -> u32 {
    ::crc32c::crc32c(data)
}

/// The CRC32C of what `crc` was computed over, followed by `data`. `crc32c_append(0, d)` is
/// `crc32c(d)`.
pub fn crc32c_append(crc: u32, data: &[u8]) -> u32 {
    ::crc32c::crc32c_append(crc, data)
}

/// Proves on this machine that the checksum and the hash give the published values, through the
/// short and the long code paths. Called before a volume is opened: a wrong one would call every
/// block damaged, or write blocks nobody else can verify. Error: `NotSupported`.
pub fn checksum_self_test() -> Result<()> {
    let wrong = |what: &str| {
        Error::new(
            Code::NotSupported,
            format!("{what} gives wrong values on this machine: the build is broken"),
        )
    };
    if crc32c(b"123456789") != 0xe306_9283 || crc32c(&[0; 32]) != 0x8a91_36aa {
        return Err(wrong("CRC32C"));
    }
    let long: Vec<u8> = (0..9000u32).map(|i| ((i * 31) >> 3) as u8).collect();
    let whole = crc32c(&long);
    let parts = long.chunks(37).fold(0, crc32c_append);
    if whole != crc32c_by_bits(&long) || parts != whole {
        return Err(wrong("CRC32C"));
    }
    let key: [u8; 16] = std::array::from_fn(|i| i as u8);
    let text: [u8; 15] = std::array::from_fn(|i| i as u8);
    if siphash24(&key, &text) != 0xa129_ca61_49be_45e5 {
        return Err(wrong("SipHash"));
    }
    Ok(())
}

/// The definition, bit by bit: slow, obviously right.
fn crc32c_by_bits(data: &[u8]) -> u32 {
    let mut crc = !0u32;
    for &byte in data {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_3720_hold() {
        let up: [u8; 32] = std::array::from_fn(|i| i as u8);
        let down: [u8; 32] = std::array::from_fn(|i| 31 - i as u8);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&up), 0x46dd_794e);
        assert_eq!(crc32c(&down), 0x113f_db5c);
        let mut read_command = [0u8; 48];
        read_command[0] = 0x01;
        read_command[1] = 0xc0;
        read_command[16] = 0x14;
        read_command[22] = 0x04;
        read_command[27] = 0x14;
        read_command[31] = 0x18;
        read_command[32] = 0x28;
        read_command[40] = 0x02;
        assert_eq!(crc32c(&read_command), 0xd996_3a56);
        assert_eq!(crc32c(b""), 0);
    }

    #[test]
    fn every_length_and_every_split_agrees_with_the_definition() {
        let data: Vec<u8> = (0..600u32).map(|i| (i.wrapping_mul(2654435761) >> 24) as u8).collect();
        for len in 0..data.len() {
            let expected = crc32c_by_bits(&data[..len]);
            assert_eq!(crc32c(&data[..len]), expected, "length {len}");
            let (a, b) = data[..len].split_at(len / 3);
            assert_eq!(crc32c_append(crc32c(a), b), expected, "length {len}, split");
        }
    }

    #[test]
    fn the_self_test_passes_here() {
        checksum_self_test().unwrap();
    }
}
