/** Mounts, writes, checks, unmounts, again and again, in this process: as quick as the addon is. */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { addon } from '../../src/native/addon.ts'
import { isFailure } from '../../src/native/failure.ts'
import type { MountHandle, MountRequest } from '../../src/native/mount.ts'

/** Files of so many rounds are kept. */
const KEPT = 8

export function requestFor(image: string, mountpoint: string): MountRequest {
  return {
    image,
    mountpoint,
    readOnly: false,
    rescue: false,
    blockDevice: false,
    noatime: false,
    discard: false,
    allowOther: false,
    defaultPermissions: true,
    autoUnmount: false,
    writeBack: false,
    mountFlags: [],
    threads: 0,
    transport: 'auto',
  }
}

export async function mountHere(image: string, mountpoint: string): Promise<MountHandle> {
  const handle = await addon().mountVolume(requestFor(image, mountpoint))
  if (isFailure(handle)) throw new Error(`${handle.code}: ${handle.text}`)
  return handle
}

export async function unmountHere(handle: MountHandle): Promise<void> {
  const failure = (await handle.unmount(false)) ?? (await handle.wait())
  handle.release()
  if (failure !== undefined) throw new Error(`${failure.code}: ${failure.text}`)
}

const contentOf = (round: number, file: number) => `${round}/${file} `.repeat((round * 37 + file * 211) % 3000)

function check(dir: string, round: number): string[] {
  const kept = readdirSync(dir).filter(name => name.startsWith('round-'))
  const expected = Array.from({ length: Math.min(KEPT, round) }, (_, i) => `round-${round - 1 - i}`)
  if (kept.sort().join() !== expected.sort().join()) return [`round ${round}: found ${kept.join()}`]
  return expected.flatMap(name => {
    const old = Number(name.slice(6))
    return [0, 1, 2, 3].flatMap(file => {
      const path = join(dir, name, `file-${file}`)
      return readFileSync(path, 'utf8') === contentOf(old, file) ? [] : [`round ${round}: ${name}/file-${file} differs`]
    })
  })
}

function write(dir: string, round: number): void {
  const made = join(dir, 'making')
  mkdirSync(made)
  for (let file = 0; file < 4; file++)
    writeFileSync(join(made, `file-${file}`), contentOf(round, file), { flush: file === 2 })
  renameSync(made, join(dir, `round-${round}`))
  const log = openSync(join(dir, 'log'), 'a')
  writeSync(log, `${round}\n`)
  closeSync(log)
  if (round >= KEPT) rmSync(join(dir, `round-${round - KEPT}`), { recursive: true })
}

/** Runs the rounds; what was wrong, one line each. */
export async function runCycles(
  image: string,
  dir: string,
  rounds: number,
  onRound = (_round: number) => {},
): Promise<string[]> {
  const problems: string[] = []
  for (let round = 0; round < rounds && problems.length === 0; round++) {
    const handle = await mountHere(image, dir)
    try {
      problems.push(...check(dir, round))
      const { replayed } = handle.report
      if (replayed > 0) problems.push(`round ${round}: ${replayed} transactions replayed after a clean unmount`)
      write(dir, round)
    } finally {
      await unmountHere(handle)
    }
    onRound(round)
  }
  return problems
}
