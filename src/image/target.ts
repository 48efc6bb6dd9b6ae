/** `IMAGE:/path`: what the image commands take. */
import { Hn4Error, isDamage } from '../base/error.ts'
import { existsSync, realpathSync, statSync } from '../base/host-files.ts'
import { hostBytes } from '../base/host-text.ts'
import type { Context } from '../console/context.ts'
import { UsageError } from '../console/failure.ts'
import { ImageFile } from '../device/image.ts'
import { writtenBy } from '../device/in-use.ts'
import type { Located } from '../reader/cortex.ts'
import { Unchanged } from '../reader/unchanged.ts'
import { Volume } from '../reader/volume.ts'
import { DamageReport } from './damage.ts'

export interface Target {
  readonly image: string
  /** Inside the volume; begins with `/`. */
  readonly path: string
}

/** Splits at the first `:/` that has an existing image before it; without one, the whole is the image and `/` the path. */
export function parseTarget(text: string): Target {
  for (let at = text.indexOf(':/'); at >= 0; at = text.indexOf(':/', at + 1)) {
    const image = text.slice(0, at)
    if (image !== '' && existsSync(image)) return { image, path: text.slice(at + 1) }
  }
  const at = text.indexOf(':/')
  if (at > 0 && !existsSync(text)) return { image: text.slice(0, at), path: text.slice(at + 1) }
  // As scp(1) takes it: nothing behind the colon is the root.
  if (text.length > 1 && text.endsWith(':') && !existsSync(text)) return { image: text.slice(0, -1), path: '/' }
  if (text === '') throw new UsageError('an empty image name')
  return { image: text, path: '/' }
}

/**
 * The file of a path that a person typed. A name that is not UTF-8 cannot be typed: it may be given as the listings
 * show it, with \xNN for a byte. A file whose name holds these characters themselves comes first.
 */
export function findTyped(volume: Volume, path: string, follow = false): Located {
  try {
    return volume.lookup(path, follow)
  } catch (error) {
    const isMissing = error instanceof Hn4Error && error.code === 'NOT_FOUND'
    if (!isMissing || !ESCAPE.test(path)) throw error
    const bytes = hostBytes(path)
      .toString('latin1')
      .replace(ESCAPES, (_, digits: string) => charOf(digits))
    return volume.lookup(new Uint8Array(Buffer.from(bytes, 'latin1')), follow)
  }
}

const ESCAPE = /\\x[0-9a-f]{2}/
const ESCAPES = /\\x([0-9a-f]{2})/g
const charOf = (digits: string): string => String.fromCharCode(Number.parseInt(digits, 16))

/** A volume in motion may look damaged where it is not: said before anything else. */
export function noteWriter(ctx: Context, image: string): boolean {
  let writer: string | null = null
  try {
    const path = realpathSync(image)
    writer = writtenBy(path, statSync(path, { bigint: true }))
  } catch {
    // What is wrong with the image shows when it is opened.
  }
  if (writer !== null) ctx.note(`${image}: ${writer}; what is read here may be old or half written`)
  return writer !== null
}

/**
 * Opens the image, hands over the volume and closes it again. What is missing of a damaged volume is named, and the
 * rest handed over. An error names the image and the path.
 */
export function withTarget<T>(
  ctx: Context,
  text: string,
  use: (volume: Volume, target: Target, damage: DamageReport) => T,
): T {
  const target = parseTarget(text)
  const isWritten = noteWriter(ctx, target.image)
  const source = new ImageFile(target.image)
  const unchanged = new Unchanged(source)
  try {
    const missing: Hn4Error[] = []
    const volume = new Volume(source, undefined, error => missing.push(error))
    unchanged.watch(volume)
    if (missing.length > 0 && (isWritten || unchanged.isChanged)) throw unchanged.error()
    const damage = new DamageReport(ctx)
    for (const error of missing) damage.add(error)
    const result = use(volume, target, damage)
    for (const { message } of volume.core.badCopies.values())
      ctx.note(`${target.image}: ${message}; another copy of the block is good`)
    return result
  } catch (thrown) {
    const error = isWritten && isDamage(thrown) ? unchanged.error() : unchanged.judge(thrown)
    if (error instanceof Hn4Error && error.class !== 'io' && error.class !== 'busy') throw namingImage(error, target)
    throw error
  } finally {
    source.close()
  }
}

/** The same error, with the image before the path inside it. */
function namingImage(error: Hn4Error, target: Target): Hn4Error {
  const path = error.detail.path ?? target.path
  if (path === target.image || path.startsWith(`${target.image}:`)) return error
  return new Hn4Error(error.code, { ...error.detail, path: `${target.image}:${path}` }, { cause: error })
}
