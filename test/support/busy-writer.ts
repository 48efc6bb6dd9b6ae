/** The thread of one writer: checks when told to, and works until the mount is gone. */
import { parentPort, workerData } from 'node:worker_threads'
import { Appends, Names, Renames, randomFrom, SyncedFiles, type Writer } from './writers.ts'

export interface BusyData {
  readonly kind: number
  readonly dir: string
  readonly seed: number
}

export interface BusyReport {
  readonly problems: readonly string[]
  /** Steps that returned. */
  readonly steps: number
}

/** What a call answers whose daemon was killed. */
const GONE = new Set(['ENOTCONN', 'ECONNABORTED', 'ECANCELED', 'EIO'])

const { kind, dir, seed } = workerData as BusyData
const random = randomFrom(seed)
const writers = [
  () => new SyncedFiles(dir),
  () => new Renames(dir, random),
  () => new Appends(dir, random),
  () => new Names(dir, random),
]
const writer: Writer = writers[kind]!()

function work(): BusyReport {
  for (let steps = 0; ; steps++) {
    try {
      writer.step()
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      return { problems: GONE.has(code ?? '') ? [] : [message], steps }
    }
  }
}

function check(): BusyReport {
  try {
    return { problems: writer.check(), steps: 0 }
  } catch (error) {
    return { problems: [(error as Error).message], steps: 0 }
  }
}

parentPort?.on('message', (what: 'work' | 'check') => parentPort?.postMessage(what === 'work' ? work() : check()))
