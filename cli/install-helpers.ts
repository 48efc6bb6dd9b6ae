/** `hn4 install-helpers`: the files by which mount(8), mkfs(8) and fsck(8) find the type hn4. */
import { join } from 'node:path'
import { Hn4Error, ioError } from '../src/base/error.ts'
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from '../src/base/host-files.ts'
import { PACKAGE_TOP } from '../src/base/package.ts'
import { printable } from '../src/base/printable.ts'
import type { Command } from '../src/console/command.ts'
import type { Context } from '../src/console/context.ts'
import { EXIT } from '../src/console/exit-codes.ts'
import { othersCanWrite } from './others-can-write.ts'

/** mount(8) looks here and nowhere else, whatever PATH says. */
const FOLDER = '/sbin'

/** Name of the helper and the script of the package behind it. mount -t fuse.hn4 asks for the second. */
const HELPERS = [
  ['mount.hn4', 'dist/src/mount/cli.js'],
  ['mount.fuse.hn4', 'dist/src/mount/cli.js'],
  ['mkfs.hn4', 'dist/mkfs/cli.js'],
  ['fsck.hn4', 'dist/fsck-scrub/cli.js'],
] as const

const MARK = '# Written by hn4 install-helpers.'

/** One word of a shell, whatever it holds. */
const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`

/** At boot PATH may lead nowhere: Node is named by its whole path. */
function helperText(script: string): string {
  return `#!/bin/sh\n${MARK}\nexec ${quoted(process.execPath)} ${quoted(join(PACKAGE_TOP, script))} "$@"\n`
}

/** Node, and what it loads of the package. */
const LOADED = ['package.json', 'dist', 'native', 'node_modules'] as const

/** What root's mount(8) runs at boot must be root's. @throws Hn4Error ACCESS naming what others can write */
function demandOwnPackage(): void {
  const loaded = [process.execPath, ...LOADED.map(name => join(PACKAGE_TOP, name))]
  const path = othersCanWrite(loaded, [join(PACKAGE_TOP, 'native', 'target')])
  if (path === undefined) return
  throw new Hn4Error('ACCESS', {
    path,
    text: 'others than root can change what mount(8) would run as root',
    hint: `copy the package where only root writes (cp -r ${PACKAGE_TOP} /opt/hn4) and install from there`,
  })
}

/** True if the file is one of ours, false if there is none. @throws Hn4Error EXISTS for another's */
function isOurs(path: string): boolean {
  let text: string
  try {
    text = readFileSync(path).toString('latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw ioError(path, 'read', error)
  }
  if (text.split('\n')[1] === MARK) return true
  throw new Hn4Error('EXISTS', { path, text: 'not written by hn4 install-helpers', hint: 'remove it first' })
}

function write(path: string, text: string): void {
  const fresh = `${path}.new`
  try {
    writeFileSync(fresh, text)
    chmodSync(fresh, 0o755)
    renameSync(fresh, path)
  } catch (error) {
    throw ioError(path, 'write', error)
  }
}

function remove(path: string): void {
  try {
    rmSync(path)
  } catch (error) {
    throw ioError(path, 'remove', error)
  }
}

function run(ctx: Context): number {
  const folder = ctx.options.text('prefix') ?? FOLDER
  const isRemoval = ctx.options.flag('remove')
  if (!isRemoval && process.getuid?.() === 0) demandOwnPackage()
  // All are looked at before one is changed.
  const found = HELPERS.map(([name, script]) => {
    const path = join(folder, name)
    return { path, script, isThere: isOurs(path) }
  })
  const changed = isRemoval ? found.filter(helper => helper.isThere) : found
  for (const { path, script } of changed) {
    if (isRemoval) remove(path)
    else write(path, helperText(script))
    ctx.print(printable(`${isRemoval ? 'removed' : 'wrote'} ${path}`))
  }
  if (ctx.isJson) ctx.json({ removed: isRemoval, files: changed.map(helper => helper.path) })
  return EXIT.OK
}

export const installHelpers: Command = {
  name: 'install-helpers',
  summary: 'let mount -t hn4, mkfs -t hn4 and fsck -t hn4 find this package',
  description: [
    `Writes mount.hn4, mount.fuse.hn4, mkfs.hn4 and fsck.hn4 to ${FOLDER}: small shell scripts that call this package, ` +
      'where it lies now, with this Node. Then mount -t hn4 works, and a line of /etc/fstab such as ' +
      '"/srv/disk.img /mnt hn4 noauto,nofail,x-systemd.automount 0 0". Files that something else wrote are left alone.',
    'As root it refuses a package, or a Node, that others than root can change: they would run as root.',
  ],
  exits: 'mkfs',
  without: ['raw', 'iec', 'si', 'color', 'verbose'],
  options: [
    { name: 'prefix', kind: 'text', value: 'DIR', summary: `write to this folder instead of ${FOLDER}` },
    { name: 'remove', kind: 'flag', summary: 'remove what was written' },
  ],
  examples: [
    { line: 'hn4 install-helpers && mount -t hn4 disk.img /mnt', meaning: 'as root' },
    { line: 'hn4 install-helpers --prefix /usr/local/sbin', meaning: 'elsewhere' },
    { line: 'hn4 install-helpers --remove', meaning: 'take them away again' },
  ],
  run,
}
