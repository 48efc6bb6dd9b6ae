/**
 * Other mount namespaces: one that was made with private propagation (a container, `unshare -m`) keeps copies
 * of all mounts made before it. A filesystem ends when its last copy has gone, whatever was unmounted here.
 */
import { isHn4Mount, type Mount, mounts } from '../device/mount-table.ts'
import { link, type Process, pids, processList, processOf } from './processes.ts'

/** What keeps a filesystem alive that is not mounted here, or no longer where it was. */
export interface Copies {
  /** Processes whose namespaces hold one. */
  readonly processes: readonly Process[]
  /** Directories of this namespace where it is (still) mounted. */
  readonly here: readonly string[]
}

/** Copies of the mounts that `isMeant` names, as far as this user may see. */
function copies(isMeant: (mount: Mount) => boolean): Copies {
  const own = link('/proc/self/ns/mnt')
  const holds = new Map<string, boolean>()
  const processes: Process[] = []
  for (const pid of pids()) {
    // Unreadable: another user's process, or one that has just ended.
    const namespace = link(`/proc/${pid}/ns/mnt`)
    if (namespace === '' || namespace === own) continue
    if (!holds.has(namespace)) holds.set(namespace, mounts(pid).some(isMeant))
    const process = holds.get(namespace) === true ? processOf(pid) : undefined
    if (process !== undefined) processes.push(process)
  }
  return { processes, here: mounts().flatMap(mount => (isMeant(mount) ? [mount.at] : [])) }
}

/** Of the filesystem of one mount. */
export const copiesOf = ({ device }: Mount): Copies => copies(mount => mount.device === device)

/** Of any hn4 mount of an image (absolute). */
export const copiesOfImage = (image: string): Copies => copies(mount => isHn4Mount(mount) && mount.source === image)

export const isHeld = ({ processes, here }: Copies): boolean => processes.length > 0 || here.length > 0

/** `mounted at /b; in another mount namespace, of sleep (42)`, for a message. */
export function copiesText({ processes, here }: Copies): string {
  const parts = here.length === 0 ? [] : [`mounted at ${here.join(', ')}`]
  if (processes.length > 0) parts.push(`mounted in another mount namespace, of ${processList(processes)}`)
  return parts.join('; ')
}
