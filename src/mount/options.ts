/** Mount options (`-o`), read into one object. The table below is the whole list. */
import { resolvePath } from '../base/host-files.ts'
import { UsageError } from '../console/failure.ts'
import type { TransportChoice } from '../native/mount.ts'

export interface MountOptions {
  readOnly: boolean
  /** Opens in spite of damage; with readOnly only. */
  rescue: boolean
  noatime: boolean
  discard: boolean
  /** Undefined: on for root, off for others. */
  allowOther: boolean | undefined
  autoUnmount: boolean
  writeBack: boolean
  threads: number
  transport: TransportChoice
  log: string | undefined
  readonly mountFlags: Set<string>
  /** Options that were not known and left out (`-s`). */
  readonly dropped: string[]
}

/** Takes effect on `options`; `value` is what stands behind `=`. */
type Effect = (options: MountOptions, value: string | undefined, name: string) => void

/** Flags that mount(2) knows; the second turns the first off. */
const KERNEL_FLAGS = [
  ['nosuid', 'suid'],
  ['nodev', 'dev'],
  ['noexec', 'exec'],
  ['nodiratime', 'diratime'],
  ['relatime', 'norelatime'],
  ['lazytime', 'nolazytime'],
  ['nosymfollow', 'symfollow'],
  ['sync', 'async'],
  ['dirsync', undefined],
] as const

const TRANSPORTS: readonly TransportChoice[] = ['auto', 'uring', 'dev']

/** Accepted and of no effect here: mount(8), fstab and systemd use them. */
const IGNORED = [
  ...['defaults', 'auto', 'noauto', '_netdev', 'nofail', 'loop', 'silent', 'loud'],
  ...['user', 'users', 'nouser', 'nousers', 'owner', 'noowner', 'group', 'nogroup'],
  ...['nostrictatime', 'noiversion', 'nomand'],
]
const IGNORED_WITH_VALUE = /^(x-[^=]*|X-[^=]*|comment|offset|sizelimit)(=|$)/

/** Known names of parts that this version does not have: named, so that nobody thinks of a spelling mistake. */
const ABSENT: Readonly<Record<string, string>> = {
  strictatime:
    'reads that the kernel answers from its cache are seen by nobody else; use relatime, which is the default',
  iversion: 'files have no version counter',
  mand: 'Linux has no mandatory locks any more',
  context: 'files have security labels of their own; use setfattr',
  fscontext: 'files have security labels of their own; use setfattr',
  defcontext: 'files have security labels of their own; use setfattr',
  rootcontext: 'files have security labels of their own; use setfattr',
  keyfile: 'encryption does not exist in this version',
  passfile: 'encryption does not exist in this version',
  idle: 'unmounting after idle time does not exist in this version',
  control: 'the control socket has a fixed place; see docs/control.md',
  metrics: 'metrics do not exist in this version',
  scrub_on_mount: 'use hn4 scrub IMAGE before the mount',
  uid: 'every file has an owner of its own; use chown',
  gid: 'every file has a group of its own; use chgrp',
  umask: 'every file has a mode of its own; use chmod',
  fmask: 'every file has a mode of its own; use chmod',
  dmask: 'every file has a mode of its own; use chmod',
}

function noValue(value: string | undefined, name: string): void {
  if (value !== undefined) throw new UsageError(`-o ${name} takes no value`)
}

function needed(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw new UsageError(`-o ${name} needs a value: ${name}=...`)
  return value
}

const flag =
  (set: (options: MountOptions) => void): Effect =>
  (options, value, name) => {
    noValue(value, name)
    set(options)
  }

const EFFECTS: Readonly<Record<string, Effect>> = {
  ro: flag(o => {
    o.readOnly = true
  }),
  rw: flag(o => {
    o.readOnly = false
  }),
  rescue: flag(o => {
    o.rescue = true
  }),
  noatime: flag(o => {
    o.noatime = true
    o.mountFlags.add('noatime')
  }),
  atime: flag(o => {
    o.noatime = false
    o.mountFlags.delete('noatime')
  }),
  discard: flag(o => {
    o.discard = true
  }),
  nodiscard: flag(o => {
    o.discard = false
  }),
  allow_other: flag(o => {
    o.allowOther = true
  }),
  // What root sees it sees by its capabilities; for a user the kernel knows only "me" and "all".
  allow_root: flag(o => {
    if (process.getuid?.() !== 0) throw new UsageError('-o allow_root: the kernel has only allow_other')
    o.allowOther ??= false
  }),
  // Without OPEN only the kernel can check permissions: always on.
  default_permissions: flag(() => {}),
  auto_unmount: flag(o => {
    o.autoUnmount = true
  }),
  untrusted: flag(o => {
    for (const name of ['nosuid', 'nodev']) o.mountFlags.add(name)
  }),
  writeback: flag(o => {
    o.writeBack = true
  }),
  threads(o, value, name) {
    const text = needed(value, name)
    const count = Number(text)
    if (!/^\d{1,2}$/.test(text) || count > 64) throw new UsageError(`-o threads: not 0 to 64: '${value}'`)
    o.threads = count
  },
  transport(o, value, name) {
    const wanted = needed(value, name)
    const found = TRANSPORTS.find(transport => transport === wanted)
    if (found === undefined) throw new UsageError(`-o transport: auto, uring or dev, not '${wanted}'`)
    o.transport = found
  },
  log(o, value, name) {
    o.log = resolvePath(needed(value, name))
  },
  errors(_, value, name) {
    if (needed(value, name) !== 'remount-ro')
      throw new UsageError('-o errors: after a failed write the volume is read-only (remount-ro)')
  },
}

/** Splits at commas; `\,` and `"a,b"` hold one. */
export function splitOptions(list: string): readonly string[] {
  const words: string[] = []
  let word = ''
  let isQuoted = false
  for (let i = 0; i < list.length; i++) {
    const c = list[i] as string
    if (c === '\\' && (list[i + 1] === ',' || list[i + 1] === '\\')) word += list[++i]
    else if (c === '"') isQuoted = !isQuoted
    else if (c === ',' && !isQuoted) {
      words.push(word)
      word = ''
    } else word += c
  }
  words.push(word)
  return words.filter(w => w !== '')
}

function apply(options: MountOptions, word: string, isSloppy: boolean): void {
  const equals = word.indexOf('=')
  const [name, value] = equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)]
  if (IGNORED.includes(name) || IGNORED_WITH_VALUE.test(word)) return
  const effect = Object.hasOwn(EFFECTS, name) ? EFFECTS[name] : undefined
  if (effect !== undefined) {
    effect(options, value, name)
    return
  }
  for (const [on, off] of KERNEL_FLAGS) {
    if (name !== on && name !== off) continue
    noValue(value, name)
    if (name === on) options.mountFlags.add(on)
    else options.mountFlags.delete(on)
    return
  }
  if (isSloppy) {
    options.dropped.push(name)
    return
  }
  const why = Object.hasOwn(ABSENT, name) ? ABSENT[name] : undefined
  throw new UsageError(why === undefined ? `unknown mount option '${name}'` : `-o ${name}: ${why}`)
}

/** Reads the `-o` arguments in order; later ones win. `isSloppy` leaves out what is not known. Throws UsageError. */
export function parseMountOptions(lists: readonly string[], isSloppy = false): MountOptions {
  const options: MountOptions = {
    readOnly: false,
    rescue: false,
    noatime: false,
    discard: false,
    allowOther: undefined,
    autoUnmount: false,
    writeBack: false,
    threads: 0,
    transport: 'auto',
    log: undefined,
    mountFlags: new Set(),
    dropped: [],
  }
  for (const list of lists) for (const word of splitOptions(list)) apply(options, word, isSloppy)
  if (options.rescue && !options.readOnly)
    throw new UsageError('-o rescue: only for reading what is left: mount it with -o ro,rescue')
  return options
}
