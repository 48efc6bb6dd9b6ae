/** Sizes in bytes, read from and shown to people. */
import { UsageError } from './failure.ts'

/** --iec (default): KiB, MiB; --si: kB, MB; --raw: plain bytes. */
export type SizeStyle = 'iec' | 'si' | 'raw'

const PREFIXES = 'KMGTPE'
const SHAPE = /^(\d{1,16})(?:\.(\d{1,12}))?\s*([kmgtpe]?)(ib|b)?$/i

/**
 * Bytes of `4096`, `4k`, `1.5G`, `2GiB` (powers of 1024) or `2GB` (powers of 1000).
 * Throws a UsageError for anything else, a fraction of a byte, or more than 2^53 - 1.
 */
export function parseSize(text: string): number {
  const found = SHAPE.exec(text.trim())
  if (found === null) throw new UsageError(`not a size: '${text}' (use bytes or k, M, G, T: 512M, 4G)`)
  const [, whole = '', fraction = '', prefix = '', unit = ''] = found
  const power = prefix === '' ? 0 : PREFIXES.indexOf(prefix.toUpperCase()) + 1
  const base = power > 0 && unit.toLowerCase() === 'b' ? 1000n : 1024n
  if (power === 0 && unit.toLowerCase() === 'ib') throw new UsageError(`not a size: '${text}'`)
  // Exact: in floating point 1.1G would be rounded in silence.
  const scaled = BigInt(whole + fraction) * base ** BigInt(power)
  const divisor = 10n ** BigInt(fraction.length)
  if (scaled % divisor !== 0n) throw new UsageError(`not a whole number of bytes: '${text}'`)
  const bytes = Number(scaled / divisor)
  if (!Number.isSafeInteger(bytes)) throw new UsageError(`too large: '${text}' (largest: 8P - 1)`)
  return bytes
}

/** A number of bytes as people read it: `1.50 GiB`, `1.61 GB` or `1610612736`. */
export function formatSize(bytes: number | bigint, style: SizeStyle = 'iec'): string {
  if (style === 'raw') return bytes.toString()
  const base = style === 'iec' ? 1024 : 1000
  let value = Number(bytes)
  let power = 0
  // 1023.996 KiB would be shown as 1024.00 KiB: step up before rounding does it.
  while (Math.abs(value) >= base - 0.005 && power < PREFIXES.length) {
    value /= base
    power++
  }
  if (power === 0) return `${value} B`
  const prefix = PREFIXES[power - 1] ?? ''
  return `${value.toFixed(2)} ${style === 'iec' ? `${prefix}iB` : `${prefix === 'K' ? 'k' : prefix}B`}`
}

/** A count with thousands apart: `1,234,567`. */
export function formatCount(count: number | bigint): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 file`, `2,000 files`. */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** A duration in seconds: `4 s`, `3:07`, `2:15:09`. */
export function formatSeconds(seconds: number): string {
  const total = Math.max(0, Math.round(seconds))
  const two = (n: number) => String(n).padStart(2, '0')
  if (total < 60) return `${total} s`
  const [hours, minutes] = [Math.floor(total / 3600), Math.floor(total / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`
}
