//! Primes below 2^64: the window's size and phi (docs/format.md 4).

/// Bases that make Miller and Rabin's test exact for every 64-bit number (Sinclair, 2011: the first
/// twelve primes suffice below 3.3 * 10^24).
const WITNESSES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];

/// Whether `n` is a prime number. Exact.
pub fn is_prime(n: u64) -> bool {
    if n < 2 {
        return false;
    }
    for p in WITNESSES {
        if n % p == 0 {
            return n == p;
        }
    }
    let twos = (n - 1).trailing_zeros();
    let odd = (n - 1) >> twos;
    WITNESSES.iter().all(|&base| {
        let mut x = power(base, odd, n);
        if x == 1 || x == n - 1 {
            return true;
        }
        for _ in 1..twos {
            x = product(x, x, n);
            if x == n - 1 {
                return true;
            }
        }
        false
    })
}

/// The largest prime that is not above `n`; none below 2. Prime gaps below 2^64 are under 1,600.
pub fn prime_at_most(n: u64) -> Option<u64> {
    (2..=n).rev().find(|&candidate| is_prime(candidate))
}

fn product(a: u64, b: u64, modulus: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) % u128::from(modulus)) as u64
}

fn power(base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let (mut result, mut square) = (1, base % modulus);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = product(result, square, modulus);
        }
        square = product(square, square, modulus);
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_agree_with_trial_division() {
        for n in 0..20_000u64 {
            let expected = n >= 2 && (2..).take_while(|d| d * d <= n).all(|d| n % d != 0);
            assert_eq!(is_prime(n), expected, "{n}");
        }
    }

    #[test]
    fn known_large_primes_and_pseudoprimes_are_told_apart() {
        // The largest primes below 2^32, 2^44 and 2^64; strong pseudoprimes to many small bases.
        for prime in [4_294_967_291, (1 << 44) - 17, u64::MAX - 58] {
            assert!(is_prime(prime), "{prime}");
        }
        for composite in
            [3_215_031_751, 3_474_749_660_383, 341_550_071_728_321, 4_294_967_291 * 4_294_967_291]
        {
            assert!(!is_prime(composite), "{composite}");
        }
    }

    #[test]
    fn the_prime_below_is_found() {
        let found: Vec<_> =
            [0, 1, 2, 3, 4, 10, 13, 1 << 32, 1 << 44].map(prime_at_most).into_iter().collect();
        let expected = [
            None,
            None,
            Some(2),
            Some(3),
            Some(3),
            Some(7),
            Some(13),
            Some(4_294_967_291),
            Some((1 << 44) - 17),
        ];
        assert_eq!(found, expected);
    }
}
