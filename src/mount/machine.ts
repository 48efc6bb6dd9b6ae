/**
 * What this machine offers for mounting, and what to do about what it lacks. Used by `hn4 doctor`,
 * by mount before it starts, and by the tests to decide between running and skipping.
 */
import { delimiter, join } from 'node:path'
import { accessSync, closeSync, constants, openSync, readFileSync } from '../base/host-files.ts'
import { addon, hasAddon } from '../native/addon.ts'
import { loadFuseNative } from './fuse-native.ts'
import { ownLogName } from './own-log.ts'

/** `needed`: without it nothing mounts. `limits`: something is slower or missing. `info`: a fact. */
export type Weight = 'needed' | 'limits' | 'info'

export interface Finding {
  readonly name: string
  readonly weight: Weight
  readonly isGood: boolean
  /** What was found, a few words. */
  readonly found: string
  /** One sentence with what to do; only where `isGood` is false. */
  readonly advice?: string
}

export const FUSE_DEVICE = '/dev/fuse'

/** Looks at the machine through these; tests put their own in. */
export interface Probe {
  readonly platform: string
  readonly arch: string
  readonly nodeVersion: string
  readonly uid: number
  /** Error code of opening a file for reading and writing, or undefined. */
  openError(path: string): string | undefined
  readText(path: string): string | undefined
  which(program: string): string | undefined
  /** Message of loading the addon or the fuse-native package, or undefined. */
  loadError(what: 'addon' | 'fuse-native'): string | undefined
  /** Whether a system log takes lines; undefined where that cannot be told. */
  hasSystemLog(): boolean | undefined
}

function platformFinding(probe: Probe): Finding {
  const name = 'platform'
  const found = `${probe.platform}-${probe.arch}`
  if (probe.platform === 'linux') return { name, weight: 'needed', isGood: true, found }
  return {
    name,
    weight: 'needed',
    isGood: false,
    found,
    advice: 'mounting works on Linux only; image commands work here',
  }
}

function nodeFinding(probe: Probe): Finding {
  const [major = 0, minor = 0] = probe.nodeVersion.split('.').map(Number)
  const isGood = major > 20 || (major === 20 && minor >= 19)
  const finding = { name: 'node', weight: 'needed', isGood, found: probe.nodeVersion } as const
  return isGood ? finding : { ...finding, advice: 'install Node 20.19 or newer' }
}

function addonFinding(probe: Probe): Finding {
  const problem = probe.loadError('addon')
  if (problem === undefined) return { name: 'native addon', weight: 'needed', isGood: true, found: 'loaded' }
  return { name: 'native addon', weight: 'needed', isGood: false, found: problem, advice: 'npm run build' }
}

/** Why /dev/fuse does not open, in one sentence; undefined if it does. */
export function fuseDeviceFinding(probe: Probe): Finding {
  const base = { name: FUSE_DEVICE, weight: 'needed' } as const
  const error = probe.openError(FUSE_DEVICE)
  if (error === undefined) return { ...base, isGood: true, found: 'opens' }
  const advice =
    error === 'ENOENT'
      ? `no ${FUSE_DEVICE} here (container? start it with --device ${FUSE_DEVICE} --cap-add SYS_ADMIN). ` +
        'Everything but mount works: hn4 ls, tree, stat, cat IMAGE:/...'
      : error === 'EACCES'
        ? `${FUSE_DEVICE} is not open to uid ${probe.uid}: chmod 666 ${FUSE_DEVICE}, or run as root`
        : error === 'EPERM'
          ? `this container may not use ${FUSE_DEVICE}: start it with --device ${FUSE_DEVICE} --cap-add SYS_ADMIN`
          : `${FUSE_DEVICE} does not open (${error}): modprobe fuse`
  return { ...base, isGood: false, found: error, advice }
}

const CAP_SYS_ADMIN = 21n

/** Root mounts by itself, if it has the capability; everyone else through fusermount3. */
function privilegeFinding(probe: Probe): Finding {
  const fusermount = probe.which('fusermount3')
  if (probe.uid !== 0) {
    const base = { name: 'fusermount3', weight: 'needed' } as const
    if (fusermount !== undefined) return { ...base, isGood: true, found: fusermount }
    const advice = 'mounting as a user needs fusermount3: apt-get install fuse3'
    return { ...base, isGood: false, found: 'absent', advice }
  }
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(probe.readText('/proc/self/status') ?? '')?.[1]
  const may = effective !== undefined && ((BigInt(`0x${effective}`) >> CAP_SYS_ADMIN) & 1n) === 1n
  const base = { name: 'CAP_SYS_ADMIN', weight: 'needed' } as const
  if (may) return { ...base, isGood: true, found: 'held' }
  const advice = 'root without CAP_SYS_ADMIN cannot mount: start the container with --cap-add SYS_ADMIN'
  return { ...base, isGood: false, found: 'not held', advice }
}

/** Where lines of mounts go that nobody has given a file. */
function logFinding(probe: Probe): Finding[] {
  const has = probe.hasSystemLog()
  const base = { name: 'system log', weight: 'info' } as const
  if (has === undefined) return []
  if (has) return [{ ...base, isGood: true, found: 'listens' }]
  const advice = `lines of mounts go to ${ownLogName(probe.uid)}; -o log=FILE chooses another place`
  return [{ ...base, isGood: false, found: 'none', advice }]
}

function extras(probe: Probe): Finding[] {
  const uring = probe.readText('/sys/module/fuse/parameters/enable_uring')?.trim()
  const kernel = uring === undefined ? 'not in this kernel (Linux 6.14)' : uring === 'Y' ? 'on: mounts use it' : 'off'
  const uringFinding: Finding = {
    name: 'FUSE over io_uring',
    weight: 'info',
    isGood: true,
    found: kernel,
  }
  const fuseNative = probe.loadError('fuse-native')
  const transport: Finding = {
    name: 'fuse-native package',
    weight: 'info',
    isGood: true,
    found: `${fuseNative ?? 'loads'}; this version does not mount with it`,
  }
  const common = [uringFinding, transport, ...logFinding(probe)]
  if (probe.uid === 0) return common
  const isAllowed = /^\s*user_allow_other\s*$/m.test(probe.readText('/etc/fuse.conf') ?? '')
  const other: Finding = {
    name: 'allow_other for users',
    weight: 'info',
    isGood: isAllowed,
    found: isAllowed ? 'allowed' : 'not allowed',
    ...(!isAllowed && { advice: 'for -o allow_other add the line user_allow_other to /etc/fuse.conf' }),
  }
  return [...common, other]
}

const NEEDED = [platformFinding, nodeFinding, addonFinding, fuseDeviceFinding, privilegeFinding]

/** The findings that decide whether mounting works. */
export const examineNeeded = (probe: Probe = thisMachine()): Finding[] => NEEDED.map(check => check(probe))

/** Every finding, the needed ones first. */
export function examine(probe: Probe = thisMachine()): Finding[] {
  return [...examineNeeded(probe), ...extras(probe)]
}

/** The first finding that keeps this machine from mounting, if there is one. */
export function mountObstacle(findings: readonly Finding[] = examine()): Finding | undefined {
  return findings.find(finding => finding.weight === 'needed' && !finding.isGood)
}

export function thisMachine(): Probe {
  return {
    platform: process.platform,
    arch: process.arch,
    nodeVersion: process.versions.node,
    uid: process.getuid?.() ?? -1,
    openError(path) {
      try {
        closeSync(openSync(path, 'r+'))
        return undefined
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? 'EIO'
      }
    },
    readText(path) {
      try {
        return readFileSync(path, 'utf8')
      } catch {
        return undefined
      }
    },
    which(program) {
      const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].filter(f => f !== '')
      return folders.map(folder => join(folder, program)).find(isExecutable)
    },
    hasSystemLog: () => (hasAddon() ? addon().hasSystemLog() : undefined),
    loadError(what) {
      try {
        if (what === 'addon') addon()
        else loadFuseNative()
        return undefined
      } catch (error) {
        return (error as Error).message.split('\n')[0]
      }
    },
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
