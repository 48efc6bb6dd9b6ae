/**
 * What is left of a damaged volume: engine and reader must find the same names and bytes, whatever part of it is
 * bad in both copies, or cut off.
 */
import { closeSync, copyFileSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { mkfs } from '../mkfs/command.ts'
import { Hn4Error } from '../src/base/error.ts'
import { copyPage } from '../src/base/units.ts'
import { ImageFile } from '../src/device/image.ts'
import { checkpointPlaces, type Geometry, regionStart, superblockPlaces } from '../src/format/geometry.ts'
import { REGIONS } from '../src/format/layout.ts'
import { Volume } from '../src/reader/volume.ts'
import { runCommand } from './support/cli.ts'
import { BUILD_MS, type Left, leftByEngine, populate } from './support/engine.ts'
import { leftByReader } from './support/left.ts'

t.setTimeout(BUILD_MS)

const BLOCK = 4096

/** What happens to a copy of the image. */
interface Damage {
  readonly name: string
  /** Blocks that become noise, or zeros. */
  readonly bad?: readonly number[]
  readonly zero?: readonly number[]
  /** Blocks that are left. */
  readonly cut?: number
  /** Nothing is left: the superblocks, or the root's anchor. */
  readonly isAll?: boolean
}

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i)

function damagesOf(volume: Volume): Damage[] {
  const { core } = volume
  const g = core.geometry
  const copies = [g.copyA, g.copyB]
  const both = (pages: readonly number[]): number[] => copies.flatMap(start => pages.map(page => start + page))
  const damages: Damage[] = []
  const rootPage = regionStart(g, volume.root().place.region) + volume.root().place.page
  for (const [region] of REGIONS) {
    const start = regionStart(g, region)
    const written = range(start, g.pages[region]).filter(page => core.pages.isInitialised(copyPage(page)))
    const withoutRoot = written.filter(page => page !== rootPage)
    const patched = withoutRoot.filter(page => core.pages.isPatched(copyPage(page)))
    if (withoutRoot.length > 0) {
      damages.push({ name: `${region}: a page`, bad: both(withoutRoot.slice(0, 1)) })
      damages.push({ name: `${region}: every third page`, bad: both(withoutRoot.filter((_, i) => i % 3 === 0)) })
      damages.push({ name: `${region}: all but the root's`, bad: both(withoutRoot) })
      damages.push({ name: `${region}: all but the root's become zeros`, zero: both(withoutRoot) })
    }
    if (patched.length > 0) damages.push({ name: `${region}: pages that the log changes`, bad: both(patched) })
  }
  damages.push(...damagesOfLog(g))
  damages.push({ name: 'INIT and some of the cortex', bad: both([0, ...cortexPages(volume, rootPage)]) })
  damages.push({ name: 'half of the window', bad: range(g.windowStart, g.windowBlocks >> 1).filter(i => i % 2 === 0) })
  damages.push({ name: 'the head superblocks', bad: [0, 1] })
  damages.push({ name: 'all superblocks', bad: superblockPlaces(g.blockCount), isAll: true })
  damages.push({ name: "the page of the root's anchor", bad: both([rootPage]), isAll: true })
  const ends: readonly (readonly [string, number])[] = [
    ['the last block', g.blockCount - 1],
    ['the tail', g.blockCount - 4],
    ['within copy B', g.copyB + 3],
    ['within the overwrite area', g.windowStart + g.windowBlocks + (g.areaBlocks >> 1)],
    ['most of the window', g.windowStart + (g.windowBlocks >> 3)],
    ['half of the window', g.windowStart + (g.windowBlocks >> 1)],
  ]
  for (const [name, cut] of ends) damages.push({ name: `cut: ${name}`, cut })
  damages.push({ name: 'cut: within copy A', cut: g.copyA + 1, isAll: true })
  damages.push({ name: 'cut, and the cortex', cut: g.copyB, bad: cortexPages(volume, rootPage).map(i => g.copyA + i) })
  return damages
}

function cortexPages(volume: Volume, rootPage: number): number[] {
  const { core } = volume
  const pages = [...core.initialisedPages('CORTEX', () => {})].map(page => regionStart(core.geometry, 'CORTEX') + page)
  return pages.filter((page, i) => i % 4 === 1 && page !== rootPage)
}

function damagesOfLog(g: Geometry): Damage[] {
  const checkpoints = [0, 1].flatMap(slot => checkpointPlaces(g, slot))
  const ring = range(g.logStart, g.logBlocks).filter(block => !checkpoints.includes(block as never))
  return [
    { name: 'all checkpoint blocks', bad: checkpoints },
    { name: 'the whole log', bad: ring },
    { name: 'every seventh block of the log', bad: ring.filter((_, i) => i % 7 === 3) },
    { name: 'log and checkpoint blocks', bad: [...ring, ...checkpoints] },
  ]
}

function damaged(image: string, { bad = [], zero = [], cut }: Damage): string {
  const path = `${image}.damaged`
  copyFileSync(image, path)
  const fd = openSync(path, 'r+')
  const block = Buffer.alloc(BLOCK)
  for (const at of bad) {
    readSync(fd, block, 0, BLOCK, at * BLOCK)
    writeSync(
      fd,
      block.map((byte, i) => (i % 64 === 5 ? byte ^ 0x5a : byte)),
      0,
      BLOCK,
      at * BLOCK,
    )
  }
  for (const at of zero) writeSync(fd, Buffer.alloc(BLOCK), 0, BLOCK, at * BLOCK)
  if (cut !== undefined) ftruncateSync(fd, cut * BLOCK)
  closeSync(fd)
  return path
}

function readerOf(path: string): Left {
  const source = new ImageFile(path)
  try {
    return leftByReader(new Volume(source, undefined, () => {}))
  } catch (error) {
    if (error instanceof Hn4Error) return error.message
    throw error
  } finally {
    source.close()
  }
}

function compare(t: Test, image: string, damage: Damage): void {
  const path = damaged(image, damage)
  const [engine = ''] = leftByEngine(path)
  const reader = readerOf(path)
  if (damage.isAll === true) {
    t.type(engine, 'string', damage.name)
    t.type(reader, 'string', damage.name)
    return
  }
  if (typeof engine === 'string' || typeof reader === 'string') {
    t.fail(damage.name, { engine: typeof engine === 'string' ? engine : 'opens', reader: String(reader).slice(0, 200) })
    return
  }
  const text = (line: object | undefined): string => JSON.stringify(Object.entries(line ?? {}).toSorted())
  const at = engine.findIndex((line, i) => text(line) !== text(reader[i]))
  const count = (left: readonly object[]): string => `${left.length} names`
  if (at >= 0 || engine.length !== reader.length)
    t.fail(`${damage.name}: engine ${count(engine)}, reader ${count(reader)}`, {
      engine: engine[at],
      reader: reader[at],
    })
  else t.pass(`${damage.name}: ${count(engine)}`)
}

for (const [seed, size, options] of [
  [3, '16M', ['--small', '--crash']],
  [4, '24M', ['--small']],
] as const) {
  t.test(`seed ${seed}, ${size}, ${options.join(' ')}`, async t => {
    const image = join(t.testdir({}), 'disk.img')
    t.equal((await runCommand('mkfs.hn4', mkfs, ['-q', '--seed', '5eed', image, size])).exit, 0)
    populate(image, String(seed), ...options)
    const volume = Volume.open(image)
    const damages = damagesOf(volume)
    volume.close()
    compare(t, image, { name: 'no damage' })
    for (const damage of damages) compare(t, image, damage)
  })
}
