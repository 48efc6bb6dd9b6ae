/** `hn4 demo`, run by `npm run demo`: the main job on images/demo.img, with figures. */
import { basename, dirname, join } from 'node:path'
import { mkdirSync } from '../base/host-files.ts'
import { PACKAGE_TOP } from '../base/package.ts'
import type { Command } from '../console/command.ts'
import type { Context } from '../console/context.ts'
import { EXIT } from '../console/exit-codes.ts'
import { formatCount } from '../console/size.ts'
import { examineNeeded, mountObstacle } from '../mount/machine.ts'
import { Volume } from '../reader/volume.ts'
import { type BlocksDocument, flip, unflip } from './damage.ts'
import { fillImage } from './image-mode.ts'
import { fillMounted } from './mounted.ts'
import { DemoError, Stage } from './stage.ts'
import { chooseTree } from './tree.ts'

const IMAGE = join(PACKAGE_TOP, 'images/demo.img')
const SIZE = '1G'
const FOLDER = 'tree'

/** What `hn4 scrub --json` says, as far as it is needed here. */
interface ScrubDocument {
  readonly clean: boolean
  readonly errors: number
  readonly files: number
  readonly damaged_files: readonly string[]
  readonly findings: ReadonlyArray<{ readonly path?: string; readonly byte_from?: number; readonly byte_to?: number }>
}

const target = (path: string) => `${IMAGE}:${path}`

/** Paths of files of three blocks and more, in the order of a walk: to be shown, and damaged. */
function largerFiles(): string[] {
  const volume = Volume.open(IMAGE)
  try {
    const found: string[] = []
    for (const { path, file } of volume.walk(volume.lookup(`/${FOLDER}`), `/${FOLDER}`)) {
      if (file?.slot.type === 'regular' && file.slot.attributes.blocks >= 3) found.push(path)
    }
    return found
  } finally {
    volume.close()
  }
}

/** One file at each quarter of the list. */
function three(paths: readonly string[]): string[] {
  const chosen = [1, 2, 3].flatMap(quarter => paths[Math.floor((paths.length * quarter) / 4)] ?? [])
  if (new Set(chosen).size !== 3) throw new DemoError('there are no three files of three blocks')
  return chosen
}

function showFile(stage: Stage, path: string): void {
  stage.step('one file: its anchor, and where the equation puts its blocks')
  const anchor = stage.run('hn4', ['anchor', target(path)]).stdout
  stage.say(anchor.trimEnd())
  stage.say(stage.run('hn4', ['blocks', target(path)]).stdout.trimEnd())
}

function scrub(stage: Stage, exit: number): ScrubDocument {
  stage.show('hn4', ['scrub', IMAGE])
  return stage.ask<ScrubDocument>(['scrub', IMAGE], [exit])
}

function breakAndRestore(stage: Stage, paths: readonly string[]): void {
  stage.step('flip one byte of three files, in the image')
  const flips = paths.map(path => flip(IMAGE, path, stage.ask<BlocksDocument>(['blocks', target(path)])))
  try {
    for (const { path, fileOffset, imageOffset } of flips)
      stage.say(`byte ${fileOffset} of ${path}: byte ${imageOffset} of the image`)
    stage.step('scrub: exactly these files are named')
    const found = scrub(stage, EXIT.UNCORRECTED)
    for (const { path, byte_from, byte_to } of found.findings)
      stage.say(`${path}: bytes ${byte_from} to ${Number(byte_to) - 1} are damaged`)
    const [expected, named] = [[...paths].sort().join('\n'), [...found.damaged_files].sort().join('\n')]
    if (expected !== named) throw new DemoError(`scrub named ${named.replaceAll('\n', ', ')}`)
    for (const { path, fileOffset } of flips) {
      const hit = found.findings.some(
        f => f.path === path && (f.byte_from ?? Infinity) <= fileOffset && fileOffset < (f.byte_to ?? 0),
      )
      if (!hit) throw new DemoError(`scrub named another range of ${path}`)
    }
  } finally {
    unflip(IMAGE, flips)
  }
  stage.step('put the bytes back; scrub is clean')
  const clean = scrub(stage, EXIT.OK)
  if (!clean.clean) throw new DemoError('scrub still finds damage')
  stage.say(`${formatCount(clean.files)} files, no error`)
}

/** The lines of mkfs's summary that say how large things are; the rest is for `hn4 info`. */
const FORMAT_LINES = /^(Size|Data|Metadata|Cortex slots|Checksum):/

function format(stage: Stage): void {
  stage.step('format')
  const summary = stage.run('mkfs.hn4', ['-f', '-L', 'demo', IMAGE, SIZE]).stdout.split('\n')
  stage.say(summary.filter(line => FORMAT_LINES.test(line)).join('\n'))
}

function run(ctx: Context): number {
  const stage = new Stage(ctx)
  const obstacle = mountObstacle(examineNeeded())
  mkdirSync(dirname(IMAGE), { recursive: true })
  const tree = chooseTree()
  ctx.print(`hn4 demo: a volume in ${basename(dirname(IMAGE))}/${basename(IMAGE)}`)
  format(stage)
  if (obstacle === undefined) fillMounted(stage, IMAGE, tree, FOLDER)
  else {
    ctx.print(`      mounting does not work here: ${obstacle.advice ?? obstacle.found}`)
    ctx.print('      the demo goes on in image mode: nothing is mounted')
    fillImage(stage, IMAGE, tree, FOLDER)
  }
  const files = largerFiles()
  const chosen = three(files)
  showFile(stage, chosen[0] as string)
  breakAndRestore(stage, chosen)
  ctx.print(`\ndone in ${stage.seconds.toFixed(0)} s; nothing is mounted. The volume is yours to try:`)
  ctx.print('  node dist/cli/main.js tree images/demo.img:/')
  if (obstacle === undefined) ctx.print('  mkdir -p /tmp/hn4 && node dist/cli/main.js mount images/demo.img /tmp/hn4')
  return EXIT.OK
}

export const demo: Command = {
  name: 'demo',
  summary: 'show the main job on images/demo.img: format, mount, copy, damage, scrub',
  description: [
    'Everything is done by the commands that it shows. It leaves nothing mounted; the image stays. Without /dev/fuse it works on the image alone.',
  ],
  exits: 'mkfs',
  without: ['json', 'verbose'],
  examples: [
    { line: 'npm run demo', meaning: 'build what is missing, then run it' },
    { line: 'hn4 demo', meaning: 'run it' },
    { line: 'hn4 demo -q', meaning: 'only say what goes wrong' },
  ],
  run,
}
