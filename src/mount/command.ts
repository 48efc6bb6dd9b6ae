/** `hn4 mount`: mounts in the background, or with -f in front. */
import { printable } from '../base/printable.ts'
import type { Command } from '../console/command.ts'
import type { Context } from '../console/context.ts'
import { UsageError } from '../console/failure.ts'
import { addon } from '../native/addon.ts'
import type { MountRequest } from '../native/mount.ts'
import { type MountOptions, parseMountOptions } from './options.ts'
import { ownLog } from './own-log.ts'
import { prepare } from './prepare.ts'
import { isRemount, remount } from './remount.ts'
import { serveAndExit } from './serve.ts'
import { startDaemon } from './start.ts'

/** What the addon calls them (native/node/src/log.rs). */
const SYSTEM_LOG = 'system log'
const NOWHERE = 'nowhere'

/** Mounts behind the caller's back; returns when the mount answers. Also the way of mount.hn4. */
export async function mountInBackground(ctx: Context, request: MountRequest, options: MountOptions): Promise<number> {
  const exit = await startDaemon({
    daemon: { tool: ctx.tool, request, log: options.log, isDebug: false },
    relay: text => ctx.io.stderr.write(text),
    onReady: linesTo => sayWhere(ctx, linesTo, options.log),
  })
  if (exit === 0 && ctx.isVerbose) ctx.print(printable(`${request.image} mounted on ${request.mountpoint}`))
  return exit
}

/** Where lines of the mount go, if that is not where everybody looks: said to a person, a script reads hn4 status. */
function sayWhere(ctx: Context, linesTo: string, asked: string | undefined): void {
  if (linesTo === '' || linesTo === SYSTEM_LOG || linesTo === asked) return
  if (linesTo === NOWHERE)
    ctx.note('no system log here, and no runtime directory: what goes wrong is said nowhere; use -o log=FILE')
  else if (ctx.io.stdout.isTerminal || ctx.isVerbose)
    ctx.print(printable(`no system log here: what goes wrong is said in ${linesTo}`))
}

/** A service manager that waits for READY=1 (Type=notify) gets it. */
function tellManager(ctx: Context): void {
  const socket = ctx.io.env.NOTIFY_SOCKET
  if (socket === undefined || socket === '') return
  const failure = addon().notifyManager(socket, 'READY=1')
  if (failure !== undefined) ctx.note(`the service manager was not told: ${failure.text}`)
}

function mountInFront(ctx: Context, request: MountRequest, options: MountOptions): Promise<never> {
  return serveAndExit({
    tool: ctx.tool,
    request,
    log: options.log,
    isDebug: ctx.options.flag('debug'),
    onReady(log) {
      if (log !== undefined) addon().detachOutput(log, ownLog())
      else ctx.note(`${request.image} is mounted on ${request.mountpoint}`)
      tellManager(ctx)
    },
  })
}

async function run(ctx: Context): Promise<number> {
  const { options: given } = ctx
  const type = given.text('type')
  if (type !== undefined && type !== 'hn4' && type !== 'auto')
    throw new UsageError(`-t: the type is hn4, not '${type}'`)
  if (given.flag('read-only') && given.flag('read-write')) throw new UsageError('-r and -w exclude each other')
  const letters = (
    [
      ['read-only', 'ro'],
      ['read-write', 'rw'],
    ] as const
  )
    .filter(([name]) => given.flag(name))
    .map(([, word]) => word)
  const lists = [...given.list('options'), ...letters]
  if (isRemount(lists)) return await remount(ctx, ctx.arg(1), lists)
  const options = parseMountOptions(lists)
  const request = await prepare(ctx, ctx.arg(0), ctx.arg(1), options)
  const inFront = ctx.options.flag('foreground') || ctx.options.flag('debug')
  return inFront ? await mountInFront(ctx, request, options) : await mountInBackground(ctx, request, options)
}

export const mount: Command = {
  name: 'mount',
  summary: 'mount a volume',
  description: [
    'Returns when the mount answers; a process in the background serves it until it is unmounted, by hn4 umount, ' +
      'umount, or SIGTERM. SIGTERM, SIGINT and SIGHUP unmount cleanly; while a program uses the mount they only make ' +
      'everything durable, and a second one within two seconds takes the mount away from it.',
    'Options: ro, rw, rescue, noatime, relatime, lazytime, sync, dirsync, discard, nosuid, nodev, noexec, nosymfollow, untrusted, ' +
      'allow_other (for root always on), default_permissions (always on), auto_unmount, writeback, threads=N, transport=auto|uring|dev (FUSE over ' +
      'io_uring where the kernel offers it, or /dev/fuse), log=FILE, errors=remount-ro. Those of ' +
      'fstab and systemd (defaults, nofail, noauto, user, _netdev, silent, x-*, comment=) are accepted.',
    'With remount root changes ro, rw, nosuid, nodev, noexec, nosymfollow and lazytime of a mount; noatime, sync and ' +
      'dirsync stay, and so do all other options. Everything is durable when remount,ro returns.',
    'A damaged volume that is refused, or one whose image is shorter than it was: -o ro,rescue shows what is left. ' +
      'What is missing is EIO or EUCLEAN, and said in the lines of the mount.',
    'An image of a stranger may hold set-id programs and device files: root mounts it with -o untrusted, which is ' +
      'nosuid and nodev. Mounts of ordinary users are so always.',
    'With -o discard the host is told of freed blocks as soon as they may be used again: an image file gets holes. ' +
      'hn4 trim and fstrim(8) do the same now and then, at less cost.',
    'Lines of the mount (what goes wrong, above all that it stopped writing) go to the file of -o log=FILE, else to the ' +
      'system log, else, where none listens, as in a container, to hn4.log in the runtime directory (/run/hn4 for ' +
      'root), as hn4 doctor, hn4 status and, on a terminal or with -v, hn4 mount say; with -f to stderr. hn4 status shows the last one.',
  ],
  exits: 'mount',
  without: ['json', 'raw', 'iec', 'si', 'color'],
  arguments: [
    { name: 'IMAGE', summary: 'file or block device' },
    { name: 'DIR', summary: 'where to mount it' },
  ],
  options: [
    { name: 'options', short: 'o', kind: 'list', value: 'OPTIONS', summary: 'mount options, separated by commas' },
    { name: 'read-only', short: 'r', kind: 'flag', summary: 'as -o ro' },
    { name: 'read-write', short: 'w', kind: 'flag', summary: 'as -o rw (default)' },
    { name: 'type', short: 't', kind: 'text', value: 'TYPE', summary: 'accepted as by mount(8); the type is hn4' },
    { name: 'foreground', short: 'f', kind: 'flag', summary: 'stay in front' },
    { name: 'debug', short: 'd', kind: 'flag', summary: 'stay in front and print the counters at the end' },
  ],
  examples: [
    { line: 'hn4 mount disk.img /mnt', meaning: 'mount, return, serve in the background' },
    { line: 'hn4 mount -o ro,noatime disk.img /mnt', meaning: 'read only: the image is not written' },
    { line: 'hn4 mount -f disk.img /mnt', meaning: 'stay in front; Ctrl-C unmounts' },
  ],
  run,
}
