/**
 * The native addon: its typed interface and its loader. Everything that runs per request of a
 * mounted volume is in there; it gets regions and gives numbers back.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Hn4Error } from '../base/error.ts'
import { readdirSync } from '../base/host-files.ts'
import { PACKAGE_TOP, PACKAGE_VERSION } from '../base/package.ts'
import { LAYOUT_HASH } from '../format/layout-hash.ts'
import type { LockAddon } from './lock.ts'
import type { MountAddon } from './mount.ts'
import type { VolumeAddon } from './volume.ts'

/** Functions of native/node, as napi exports them. */
export interface Addon extends LockAddon, MountAddon, VolumeAddon {
  /** Package version the addon was built from. */
  version(): string
  /** Hash of the format's description (src/format/layout.ts) the addon was generated from. */
  layoutHash(): string
  /** CRC32C (Castagnoli) of `bytes`; `seed` continues an earlier one. */
  crc32c(bytes: Uint8Array, seed?: number): number
}

const REBUILD = 'npm run build'

/** Built addons of this platform: hn4.linux-x64-gnu.node and the like, or the file of HN4_ADDON. */
function candidates(): string[] {
  const named = process.env.HN4_ADDON
  if (named !== undefined && named !== '') return [named]
  const folder = join(PACKAGE_TOP, 'native')
  const prefix = `hn4.${process.platform}-${process.arch}`
  const isOurs = (name: string) => name.startsWith(prefix) && name.endsWith('.node')
  try {
    return readdirSync(folder)
      .filter(isOurs)
      .map(name => join(folder, name))
  } catch {
    return []
  }
}

function load(): Addon {
  const require = createRequire(import.meta.url)
  let reason = `nothing built for ${process.platform}-${process.arch}`
  for (const file of candidates()) {
    try {
      const addon = require(file) as Addon
      checkFit(addon, file)
      return addon
    } catch (error) {
      if (error instanceof Hn4Error) throw error
      reason = (error as Error).message.split('\n')[0] ?? reason
    }
  }
  throw new Hn4Error('ADDON_MISSING', { text: `the native addon is missing: ${reason}`, hint: REBUILD })
}

/** An addon of another version would read and write other bytes: refused at once. */
function checkFit(addon: Addon, path: string): void {
  const built = addon.version()
  if (built !== PACKAGE_VERSION) {
    throw new Hn4Error('ADDON_MISMATCH', { path, built, wanted: PACKAGE_VERSION, hint: REBUILD })
  }
  const layout = addon.layoutHash()
  if (layout !== LAYOUT_HASH) throw new Hn4Error('ADDON_MISMATCH', { path, layout, wanted: LAYOUT_HASH, hint: REBUILD })
}

let loaded: Addon | undefined

/** The addon, loaded at the first call. Throws ADDON_MISSING or ADDON_MISMATCH. */
export function addon(): Addon {
  loaded ??= load()
  return loaded
}

/** True if the addon loads; for `--version` and `hn4 doctor`. */
export function hasAddon(): boolean {
  try {
    addon()
    return true
  } catch {
    return false
  }
}
