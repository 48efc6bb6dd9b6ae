import { truncateSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { mountAt } from '../../src/device/mount-table.ts'
import { isAlive } from '../../src/mount/processes.ts'
import { mountTest } from '../support/mount.ts'
import { eventually, hn4, runTool, Scratch } from '../support/scratch.ts'

const stateOf = (dir: string): unknown => JSON.parse(hn4('status', '--json', dir).stdout).state
const isReadOnly = (dir: string): boolean => mountAt(dir)?.options.includes('ro') === true

mountTest(t, 'remount,ro returns when everything is durable', async t => {
  if (process.getuid?.() !== 0) return t.comment('needs root for a remount')
  const scratch = new Scratch(t)
  const daemon = scratch.mount()
  writeFileSync(scratch.path('file'), 'not synced')
  t.match(hn4('mount', '-o', 'remount,ro', scratch.image, scratch.dir), { exit: 0, stderr: '' })
  process.kill(daemon.pid, 'SIGKILL')
  t.ok(await eventually(() => !isAlive(daemon)))
  t.equal(hn4('umount', scratch.dir).exit, 0)
  t.equal(hn4('cat', `${scratch.image}:/file`).stdout, 'not synced')
})

mountTest(t, 'what is only tried changes nothing', async t => {
  if (process.getuid?.() !== 0) return t.comment('needs root for a remount')
  const scratch = new Scratch(t)
  scratch.mount()
  t.match(runTool('mount.hn4', [scratch.image, scratch.dir, '-f', '-o', 'remount,ro']), { exit: 0, stderr: '' })
  t.notOk(isReadOnly(scratch.dir))
  scratch.umount()
})

mountTest(t, 'a volume that has stopped writing is not remounted for writing', async t => {
  if (process.getuid?.() !== 0) return t.comment('needs root for a remount')
  const scratch = new Scratch(t)
  scratch.mount()
  t.equal(hn4('mount', '-o', 'remount,ro', scratch.image, scratch.dir).exit, 0)
  truncateSync(scratch.image, 1 << 20)
  t.ok(await eventually(() => stateOf(scratch.dir) === 'stopped'))
  const ran = hn4('mount', '-o', 'remount,rw', scratch.image, scratch.dir)
  t.match(ran, { exit: 32, stderr: /it has stopped writing: .*; unmount it and mount it again/ })
  t.ok(isReadOnly(scratch.dir))
  t.equal(hn4('umount', scratch.dir).exit, 32)
})
