/** `mkfs.hn4, part of hn4 0.1.0 (format 1, native addon: yes)`. */
import { PACKAGE_VERSION } from '../base/package.ts'
import { FORMAT_VERSION } from '../format/layout.ts'
import { hasAddon } from '../native/addon.ts'

export function versionLine(tool: string): string {
  return `${tool}, part of hn4 ${PACKAGE_VERSION} (format ${FORMAT_VERSION}, native addon: ${hasAddon() ? 'yes' : 'no'})`
}
