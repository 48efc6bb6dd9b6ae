/**
 * Primes below 2^64, decided without chance: the Miller-Rabin test with the first twelve primes as
 * bases is exact below 3.3 * 10^24 (Sorenson and Webster, 2015).
 */

const BASES = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n] as const

function powerMod(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  let square = base % modulus
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}

/** True if `base` proves the odd number `n` = d * 2^s + 1 composite. */
function isWitness(base: bigint, n: bigint, d: bigint, s: number): boolean {
  let x = powerMod(base, d, n)
  if (x === 1n || x === n - 1n) return false
  for (let i = 1; i < s; i++) {
    x = (x * x) % n
    if (x === n - 1n) return false
  }
  return true
}

export function isPrime(value: number): boolean {
  const n = BigInt(value)
  if (n < 2n) return false
  for (const base of BASES) if (n % base === 0n) return n === base
  let d = n - 1n
  let s = 0
  while ((d & 1n) === 0n) {
    d >>= 1n
    s++
  }
  return !BASES.some(base => isWitness(base, n, d, s))
}

/** The largest prime <= `limit`; 0 if there is none. Below 2^44 the search takes at most some hundred steps. */
export function largestPrime(limit: number): number {
  for (let n = limit; n >= 2; n--) if (isPrime(n)) return n
  return 0
}
