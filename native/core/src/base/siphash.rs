//! SipHash-2-4 (Aumasson and Bernstein, 2012): the keyed hash of cortex buckets and directory leaves.
//! Keyed with the volume's secret, so that nobody can choose names that collide.

use siphasher::sip::SipHasher24;

/// The 64-bit SipHash-2-4 of `data` under `key`.
pub fn siphash24(key: &[u8; 16], data: &[u8]) -> u64 {
    SipHasher24::new_with_key(key).hash(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the reference implementation's vectors.h: key 00..0f, message 00..(n-1), output bytes.
    const PUBLISHED: [(usize, [u8; 8]); 10] = [
        (0, [0x31, 0x0e, 0x0e, 0xdd, 0x47, 0xdb, 0x6f, 0x72]),
        (1, [0xfd, 0x67, 0xdc, 0x93, 0xc5, 0x39, 0xf8, 0x74]),
        (2, [0x5a, 0x4f, 0xa9, 0xd9, 0x09, 0x80, 0x6c, 0x0d]),
        (3, [0x2d, 0x7e, 0xfb, 0xd7, 0x96, 0x66, 0x67, 0x85]),
        (4, [0xb7, 0x87, 0x71, 0x27, 0xe0, 0x94, 0x27, 0xcf]),
        (5, [0x8d, 0xa6, 0x99, 0xcd, 0x64, 0x55, 0x76, 0x18]),
        (6, [0xce, 0xe3, 0xfe, 0x58, 0x6e, 0x46, 0xc9, 0xcb]),
        (7, [0x37, 0xd1, 0x01, 0x8b, 0xf5, 0x00, 0x02, 0xab]),
        (8, [0x62, 0x24, 0x93, 0x9a, 0x79, 0xf5, 0xf5, 0x93]),
        (15, [0xe5, 0x45, 0xbe, 0x49, 0x61, 0xca, 0x29, 0xa1]),
    ];

    #[test]
    fn the_published_vectors_hold() {
        let key: [u8; 16] = std::array::from_fn(|i| i as u8);
        let message: [u8; 16] = std::array::from_fn(|i| i as u8);
        for (len, output) in PUBLISHED {
            assert_eq!(siphash24(&key, &message[..len]), u64::from_le_bytes(output), "length {len}");
        }
    }

    #[test]
    fn another_key_gives_another_hash() {
        assert_ne!(siphash24(&[0; 16], b"name"), siphash24(&[1; 16], b"name"));
    }
}
