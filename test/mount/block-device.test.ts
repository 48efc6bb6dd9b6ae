import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { isAlive } from '../../src/mount/processes.ts'
import { mountTest } from '../support/mount.ts'
import { hn4, Scratch } from '../support/scratch.ts'

/** A loop device on the image; undefined where the machine gives none. */
function loopOn(image: string): string | undefined {
  const made = spawnSync('losetup', ['--find', '--show', image], { encoding: 'utf8' })
  return made.status === 0 ? made.stdout.trim() : undefined
}

mountTest(
  t,
  'a block device is mounted as fuseblk: a plain umount returns when the daemon has written everything',
  async t => {
    const scratch = new Scratch(t)
    const device = loopOn(scratch.image)
    if (device === undefined) return t.comment('no loop device here')
    t.teardown(() => spawnSync('losetup', ['--detach', device]))
    const refused = hn4('mount', scratch.image, scratch.dir)
    t.equal(refused.exit, 32)
    t.match(refused.stderr, `attached to ${device}`, 'the image itself is in use')
    t.equal(hn4('mount', device, scratch.dir).stderr, '')
    t.equal(scratch.mounted?.type, 'fuseblk.hn4')
    t.equal(scratch.mounted?.source, device)
    const { daemon } = scratch
    const twice = hn4('mount', device, scratch.dir)
    t.match(twice.stderr, new RegExp(`process ${daemon.pid} .*mounted at ${scratch.dir}`))
    writeFileSync(scratch.path('file'), 'on a block device')
    t.equal(spawnSync('umount', [scratch.dir]).status, 0)
    t.equal(hn4('scrub', device).exit, 0, 'complete at once')
    t.equal(hn4('mount', device, scratch.dir).exit, 0)
    t.equal(readFileSync(scratch.path('file'), 'utf8'), 'on a block device')
    const second = scratch.daemon
    t.equal(hn4('umount', device).exit, 0)
    t.notOk(isAlive(second))
  },
)
