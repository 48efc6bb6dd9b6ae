// How costs grow: series of points, each on a filesystem made for it. A point: { curve, x, figure, unit }.
import { runClient } from '../client.mjs'
import { costs, countersOf } from '../counters.mjs'
import { makeCold, mustHaveRead } from '../run.mjs'
import { dropCaches } from '../shell.mjs'
import { residentMib } from '../workloads/volumes.mjs'

const [MIB, GIB] = [2 ** 20, 2 ** 30]

/** Operations a second. */
async function rate(stage, target, what, args) {
  const { operations, seconds } = await runClient(stage, what, target.dir, args)
  return operations / seconds
}

async function coldRate(stage, target, what, args) {
  await makeCold(target)
  const before = countersOf(target)
  const figure = await rate(stage, target, what, args)
  mustHaveRead(target, costs(before, countersOf(target), 1), what)
  return figure
}

/** Files that are looked up of so many: not all, so that few pages serve twice. */
const some = files => ['--first', files, '--count', Math.min(3000, Math.ceil(files / 3))]

/** A filesystem of so many bytes, made for so many files where its mkfs is told so. */
async function fresh(target, bytes, files) {
  target.bytes = bytes
  target.mkfsOptions = files === undefined || target.optionsForFiles === undefined ? [] : target.optionsForFiles(files)
  await target.make()
  await target.mount()
}

/** Room for so many files without content and their directories. */
const bytesFor = files => Math.max(GIB, Math.ceil((files * 8192) / GIB) * GIB)

/** Creating, finding and reading attributes while the table of files fills. */
async function load({ stage, target, isFull, take }) {
  const room = isFull ? 1_100_000 : 110_000
  await fresh(target, bytesFor(room), room)
  let first = 0
  for (const percent of [10, 20, 30, 40, 50, 60, 70, 80, 90, 95]) {
    const files = Math.floor((room * percent) / 100)
    const figure = await rate(stage, target, 'create', ['--first', first, '--count', files - first])
    first = files
    take({ curve: 'create', x: percent, figure, unit: '/s' })
    const found = await coldRate(stage, target, 'look-up', some(first))
    take({ curve: 'look up, cold', x: percent, figure: found, unit: '/s' })
    if (![10, 50, 80, 95].includes(percent)) continue
    const listed = await coldRate(stage, target, 'list-stat', ['--count', first])
    take({ curve: 'find + stat, cold', x: percent, figure: listed, unit: '/s' })
  }
}

/** The same by number of files, in tables that are 80 % full at the end; what the daemon holds of them. */
async function files({ stage, target, isFull, take }) {
  for (const count of [1000, 10_000, 100_000, ...(isFull ? [1_000_000] : [])]) {
    const room = Math.ceil(count / 0.8)
    await fresh(target, bytesFor(room), room)
    const created = await rate(stage, target, 'create', ['--count', count])
    take({ curve: 'create', x: count, figure: created, unit: '/s' })
    const listed = await coldRate(stage, target, 'list-stat', ['--count', count])
    take({ curve: 'find + stat, cold', x: count, figure: listed, unit: '/s' })
    const known = residentMib(target)
    if (known !== undefined) {
      take({ curve: 'resident, files known', x: count, figure: known, unit: 'MiB' })
      dropCaches()
      take({ curve: 'resident, files forgotten', x: count, figure: residentMib(target), unit: 'MiB' })
    }
    await target.unmount()
  }
}

/** Names in one directory. */
async function directory({ stage, target, isFull, take }) {
  const sizes = [1000, 10_000, 100_000, ...(isFull ? [1_000_000] : [])]
  const room = sizes.at(-1) / 0.8
  const spread = ['--spread', 2 * sizes.at(-1)]
  await fresh(target, bytesFor(room), room)
  let first = 0
  for (const count of sizes) {
    const created = await rate(stage, target, 'create', ['--first', first, '--count', count - first, ...spread])
    first = count
    take({ curve: 'create', x: count, figure: created, unit: '/s' })
    const found = await coldRate(stage, target, 'look-up', [...some(first), ...spread])
    take({ curve: 'look up, cold', x: count, figure: found, unit: '/s' })
    const listed = await coldRate(stage, target, 'list', ['--count', count, ...spread])
    take({ curve: 'list, cold', x: count, figure: listed, unit: '/s' })
  }
}

/** 4 KiB at random places of files of 1 MiB up; with --full up to a third of what the disk has left. */
async function reading({ stage, target, isFull, take }) {
  const largest = isFull ? Math.min(256 * GIB, stage.freeBytes() / 3) : GIB
  const sizes = []
  for (let size = MIB; size <= largest; size *= 4) sizes.push(size)
  for (const size of sizes) {
    await fresh(target, Math.max(4 * GIB, 1.25 * size))
    await runClient(stage, 'write-large', target.dir, ['--size', size])
    const count = Math.min(2000, size / 4096 / 4)
    const figure = await coldRate(stage, target, 'read-random', ['--size', size, '--count', count])
    take({ curve: '4 KiB random read, cold', x: size / MIB, figure, unit: '/s' })
    await target.unmount()
  }
}

/** Empty volumes of growing size. */
async function volumes({ target, take }) {
  for (const gib of [1, 4, 16, 64, 256, 1024, 4096]) {
    target.bytes = gib * GIB
    target.mkfsOptions = []
    await target.make()
    const began = performance.now()
    await target.mount()
    const seconds = target.mountSeconds ?? (performance.now() - began) / 1000
    take({ curve: 'mount', x: gib, figure: seconds * 1000, unit: 'ms' })
    const held = residentMib(target)
    if (held !== undefined) take({ curve: 'resident', x: gib, figure: held, unit: 'MiB' })
    await target.unmount()
  }
}

/** `isLog`: the axis counts factors of ten. */
export const SERIES = [
  { name: 'load', title: 'As the table of files fills', xTitle: 'files of those it was made for, %', run: load },
  { name: 'files', title: 'By number of files', xTitle: 'files', isLog: true, run: files },
  { name: 'directory', title: 'Names in one directory', xTitle: 'names', isLog: true, run: directory },
  { name: 'reading', title: 'By size of the file', xTitle: 'MiB', isLog: true, run: reading },
  { name: 'volumes', title: 'By size of the volume', xTitle: 'GiB', isLog: true, run: volumes },
]
