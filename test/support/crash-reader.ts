/**
 * The reader in the durability proof (native/core/tests/crash/reader.rs starts it): each line of stdin names
 * an image as a power cut left it, and the files that the engine finds there. The line it answers with is
 * null, or what is wrong: another tree, or a finding of fsck.hn4 -n. HN4_CRASH_CODEC=xor: the images have the blocks
 * of xor-codec.ts.
 */
import { createInterface } from 'node:readline'
import { Volume } from '../../src/reader/volume.ts'
import { fsckWith } from './checks.ts'
import { runCommand } from './cli.ts'
import { differenceOf, entryOf, type ManifestEntry, manifestOf } from './engine.ts'
import { codecNamed } from './xor-codec.ts'

const codec = codecNamed(process.env.HN4_CRASH_CODEC)
const fsck = fsckWith(codec)

interface Question {
  readonly image: string
  readonly files: readonly ManifestEntry[]
}

function treeProblem({ image, files }: Question): string | null {
  const volume = Volume.open(image, codec)
  try {
    return differenceOf([entryOf(volume, volume.root(), ''), ...manifestOf(volume)], files)
  } finally {
    volume.close()
  }
}

async function problemOf(question: Question): Promise<string | null> {
  try {
    const problem = treeProblem(question)
    if (problem !== null) return `the reader finds another tree: ${problem}`
    const ran = await runCommand('fsck.hn4', fsck, ['-n', '-q', question.image])
    return ran.exit === 0 ? null : `fsck.hn4 -n: exit ${ran.exit}: ${ran.stdout}${ran.stderr}`
  } catch (error) {
    return `the reader: ${error instanceof Error ? error.message : error}`
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await problemOf(JSON.parse(line) as Question))}\n`)
}
