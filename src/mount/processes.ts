/**
 * Who serves a mount and who uses it, found in /proc. Files are recognised by what the kernel
 * writes about them; nothing asks a mount, which may be dead or slow.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from '../base/host-files.ts'
import { printable } from '../base/printable.ts'
import type { Mount } from '../device/mount-table.ts'
import { majorMinor } from '../device/size.ts'

export interface Process {
  readonly pid: number
  /** Name of the program. */
  readonly name: string
  /** When it began, in the kernel's ticks: tells a process from a later one of its number. */
  readonly began: string
}

export function text(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

export function link(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

export function names(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    // Gone meanwhile, or another user's.
    return []
  }
}

/** The process of this number; undefined if there is none. */
export function processOf(pid: number): Process | undefined {
  // "42 (a name) S 1 ...": the name may hold anything, so what follows is counted from the last parenthesis.
  const stat = text(`/proc/${pid}/stat`)
  const end = stat.lastIndexOf(')')
  if (end < 0) return undefined
  const [state, ...rest] = stat.slice(end + 2).split(' ')
  // A zombie has let go of everything, once no thread is left: the first thread is one as soon as it has ended, and the
  // files stay open, and locked, until the last one has (exit_files in the kernel's do_exit).
  const isZombie = state === 'Z' || state === 'X'
  if (isZombie && names(`/proc/${pid}/task`).length <= 1) return undefined
  return { pid, name: stat.slice(stat.indexOf('(') + 1, end), began: rest[18] ?? '' }
}

export function isAlive(process: Process): boolean {
  return processOf(process.pid)?.began === process.began
}

/** Numbers of all processes. */
export const pids = (): readonly number[] =>
  names('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)

/** `08:01:131075`, as the lock lines of fdinfo name a file; undefined where it is not there. */
function lockPlace(path: string): string | undefined {
  try {
    const stat = statSync(path, { bigint: true })
    const { major, minor } = majorMinor(stat.dev)
    const two = (n: bigint) => n.toString(16).padStart(2, '0')
    return `${two(major)}:${two(minor)}:${stat.ino}`
  } catch {
    return undefined
  }
}

/** The kernel's number of a FUSE connection: the device number of its filesystem. */
function connectionOf(mount: Mount): number {
  const [major = 0, minor = 0] = mount.device.split(':').map(Number)
  return major * 2 ** 20 + minor
}

/**
 * The daemon of an hn4 mount: it holds the FUSE connection of that number or, where the kernel does
 * not tell (older ones), the lock of the image; several readers of one image may.
 */
export function daemonOf(mount: Mount): Process | undefined {
  const connection = new RegExp(`^fuse_connection:\\s*${connectionOf(mount)}$`, 'm')
  const place = lockPlace(mount.source)
  const holders: number[] = []
  for (const pid of pids()) {
    if (pid === process.pid) continue
    const infos = names(`/proc/${pid}/fdinfo`).map(fd => text(`/proc/${pid}/fdinfo/${fd}`))
    if (infos.some(info => connection.test(info))) return processOf(pid)
    const holds = (info: string) => place !== undefined && /^lock:.*OFDLCK/m.test(info) && info.includes(` ${place} `)
    if (infos.some(holds)) holders.push(pid)
  }
  // Its title ends with its mountpoint.
  const named = holders.find(pid => text(`/proc/${pid}/cmdline`).replace(/\0+$/, '').endsWith(printable(mount.at)))
  const pid = named ?? (holders.length === 1 ? holders[0] : undefined)
  return pid === undefined ? undefined : processOf(pid)
}

/** True if the process stands in the mount, runs from it, or has something of it open or mapped. */
function uses(pid: number, mount: Mount): boolean {
  const isInside = (path: string) => path === mount.at || path.startsWith(`${mount.at}/`)
  const folder = `/proc/${pid}`
  if (['cwd', 'root', 'exe'].some(name => isInside(link(`${folder}/${name}`)))) return true
  const byMount = new RegExp(`^mnt_id:\\s*${mount.id}$`, 'm')
  if (names(`${folder}/fdinfo`).some(fd => byMount.test(text(`${folder}/fdinfo/${fd}`)))) return true
  return names(`${folder}/map_files`).some(range => isInside(link(`${folder}/map_files/${range}`)))
}

/** Processes that keep a mount busy, as far as this user may see; not the one that asks. */
export function usersOf(mount: Mount): readonly Process[] {
  return pids()
    .filter(pid => pid !== process.pid && uses(pid, mount))
    .flatMap(pid => processOf(pid) ?? [])
}

const NAMED_MAX = 5

/** `bash (42), vi (43)`, for a message. */
export function processList(processes: readonly Process[]): string {
  const shown = processes.slice(0, NAMED_MAX).map(({ name, pid }) => `${name} (${pid})`)
  const more = processes.length - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
}
