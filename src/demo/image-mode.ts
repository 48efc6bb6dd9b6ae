/** The same without a mount, where /dev/fuse is missing: the engine called directly, the reader to compare. */
import { basename } from 'node:path'
import { formatCount } from '../console/size.ts'
import { addon } from '../native/addon.ts'
import { isFailure } from '../native/failure.ts'
import { Volume } from '../reader/volume.ts'
import { compare, newComparison, problemOf } from './compare.ts'
import { importTree } from './import.ts'
import { DemoError, type Stage } from './stage.ts'
import type { Tree } from './tree.ts'
import { HOST, readerView } from './views.ts'

const ROOT = 1

function fill(stage: Stage, image: string, tree: Tree, folder: string): void {
  const volume = addon().openVolume(image, false)
  if (isFailure(volume)) throw new DemoError(`${image}: ${volume.text}`)
  const began = stage.seconds
  try {
    const parent = volume.mkdir(ROOT, Buffer.from(folder), 0o755)
    if (isFailure(parent)) throw new DemoError(`${folder}: ${parent.code}`)
    for (const source of tree.sources) importTree(volume, parent.ino, basename(source), source)
  } finally {
    const failure = volume.close()
    if (failure !== undefined) stage.say(`closing: ${failure.text}`)
  }
  const took = stage.seconds - began
  stage.say(`${stage.size(tree.bytes)} in ${took.toFixed(1)} s: ${stage.size(tree.bytes / took)} a second`)
}

export function fillImage(stage: Stage, image: string, tree: Tree, folder: string): void {
  stage.step(`copy ${formatCount(tree.files)} files into it, without a mount`)
  fill(stage, image, tree, folder)
  stage.step('compare every byte and every attribute with the originals, by the independent reader')
  const began = stage.seconds
  const volume = Volume.open(image)
  try {
    const view = readerView(volume)
    const all = newComparison()
    for (const source of tree.sources) {
      const copy = volume.lookup(`/${folder}/${basename(source)}`)
      compare(all, basename(source), [HOST, source], [view, copy])
    }
    const problem = problemOf(all, tree.files)
    if (problem !== undefined) throw new DemoError(`the copy differs: ${problem}`)
    stage.say(
      `${formatCount(all.files)} files, ${formatCount(all.folders)} folders, ${stage.size(all.bytes)}: equal (${(stage.seconds - began).toFixed(1)} s)`,
    )
  } finally {
    volume.close()
  }
}
