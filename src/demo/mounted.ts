/** The part of the demo that needs a mount: copy, git, unmount, mount again, compare. */
import { basename, join } from 'node:path'
import { mkdirSync, mkdtempSync, rmdirSync } from '../base/host-files.ts'
import { temporaryDirectory } from '../base/host-process.ts'
import { formatCount } from '../console/size.ts'
import { isHn4Mount, mountAt, resolveMountpoint } from '../device/mount-table.ts'
import { thisMachine } from '../mount/machine.ts'
import { compare, newComparison, problemOf } from './compare.ts'
import { DemoError, type Stage } from './stage.ts'
import type { Tree } from './tree.ts'
import { HOST } from './views.ts'

/** Where the demo mounts; `close` leaves nothing behind, however far it came. */
export class DemoMount {
  readonly #stage: Stage
  readonly #image: string
  readonly at: string

  constructor(stage: Stage, image: string) {
    this.#stage = stage
    this.#image = image
    this.at = resolveMountpoint(mkdtempSync(join(temporaryDirectory(), 'hn4-demo-')))
  }

  mount(): void {
    this.#stage.run('hn4', ['mount', this.#image, this.at])
  }

  unmount(): void {
    this.#stage.run('hn4', ['umount', this.at])
  }

  close(): void {
    const left = mountAt(this.at)
    if (left !== undefined && isHn4Mount(left)) this.#stage.quietly('hn4', ['umount', '-l', this.at], [0, 32])
    rmdirSync(this.at)
  }
}

const GIT_SETTINGS = [
  'user.name=demo',
  'user.email=demo@localhost',
  'gc.auto=0',
  'commit.gpgsign=false',
  'safe.directory=*',
]

/** A repository of everything in the mount; false if there is no git. */
function useGit(stage: Stage, at: string): boolean {
  if (thisMachine().which('git') === undefined) {
    stage.say('no git on this machine: this step is left out')
    return false
  }
  const git = (...words: string[]) =>
    stage.program('git', [...GIT_SETTINGS.flatMap(setting => ['-c', setting]), ...words], at)
  git('init', '--quiet')
  git('add', '--all')
  git('commit', '--quiet', '--message', 'the tree as it was copied')
  return true
}

/** Asks git whether its objects and files are what they were. */
function checkGit(stage: Stage, at: string): void {
  const git = (...words: string[]) => stage.program('git', ['-c', 'safe.directory=*', ...words], at)
  git('fsck', '--no-progress')
  const changes = git('status', '--porcelain').stdout.trim()
  if (changes !== '') throw new DemoError(`git sees changes: ${changes.split('\n')[0]}`)
  stage.say('git fsck finds every object whole, git status no change')
}

const perSecond = (count: number, seconds: number) => formatCount(Math.round(count / Math.max(seconds, 0.001)))

/** Fills the volume through a mount and proves that a second mount shows the same. */
export function fillMounted(stage: Stage, image: string, tree: Tree, folder: string): void {
  const mount = new DemoMount(stage, image)
  try {
    stage.step('mount it')
    mount.mount()
    stage.step(`copy ${formatCount(tree.files)} files into it`)
    const target = join(mount.at, folder)
    mkdirSync(target)
    let began = stage.seconds
    stage.program('cp', ['-a', '--', ...tree.sources, target])
    let took = stage.seconds - began
    stage.say(
      `${stage.size(tree.bytes)} in ${took.toFixed(1)} s: ${perSecond(tree.files, took)} files and ${stage.size(tree.bytes / took)} a second`,
    )
    stage.step('git init, git add, git commit inside')
    began = stage.seconds
    const hasGit = useGit(stage, mount.at)
    if (hasGit) stage.say(`${(stage.seconds - began).toFixed(1)} s`)
    stage.step('unmount, and mount again')
    mount.unmount()
    mount.mount()
    stage.step('compare every byte and every attribute with the originals')
    began = stage.seconds
    const all = newComparison()
    for (const source of tree.sources)
      compare(all, basename(source), [HOST, source], [HOST, join(target, basename(source))])
    const problem = problemOf(all, tree.files)
    if (problem !== undefined) throw new DemoError(`the copy differs: ${problem}`)
    took = stage.seconds - began
    stage.say(
      `${formatCount(all.files)} files, ${formatCount(all.folders)} folders, ${formatCount(all.links)} links, ${stage.size(all.bytes)}: equal (${took.toFixed(1)} s)`,
    )
    if (hasGit) checkGit(stage, mount.at)
    stage.step('unmount: when hn4 umount returns, the image is complete')
    mount.unmount()
  } finally {
    mount.close()
  }
}
