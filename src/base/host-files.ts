/**
 * The files of the host, by names as src/base/host-text.ts writes them; the only importer of node:fs. Functions are
 * those of node:fs of the same name; their errors name the path as it was given.
 */
import * as fs from 'node:fs'
import * as promises from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { hostBytes, hostText, isUtf8 } from './host-text.ts'

export type { BigIntStats, Stats } from 'node:fs'
export { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, readSync, writeSync } from 'node:fs'

const hostPath = (text: string): string | Buffer => (isUtf8(text) ? text : hostBytes(text))

function rename(error: unknown, text: string): unknown {
  // Node makes text of a path of bytes, with U+FFFD for what is not UTF-8.
  if (error instanceof Error && 'path' in error) error.path = text
  return error
}

/** What `call` does with the path. */
function by<T>(text: string, call: (path: string | Buffer) => T): T {
  try {
    return call(hostPath(text))
  } catch (error) {
    throw rename(error, text)
  }
}

async function promised<T>(text: string, call: (path: string | Buffer) => Promise<T>): Promise<T> {
  try {
    return await call(hostPath(text))
  } catch (error) {
    throw rename(error, text)
  }
}

const BYTES = { encoding: 'buffer' } as const
const WIDE = { bigint: true } as const

export const existsSync = (path: string): boolean => fs.existsSync(hostPath(path))
export const accessSync = (path: string, mode: number): void => by(path, p => fs.accessSync(p, mode))
export const openSync = (path: string, flags: string | number, mode?: number): number =>
  by(path, p => fs.openSync(p, flags, mode))
export const chmodSync = (path: string, mode: number): void => by(path, p => fs.chmodSync(p, mode))
export const mkdirSync = (path: string, options?: { mode?: number; recursive?: boolean }): void =>
  by(path, p => void fs.mkdirSync(p, options))
export const rmSync = (path: string, options?: fs.RmOptions): void => by(path, p => fs.rmSync(p, options))
export const rmdirSync = (path: string): void => by(path, p => fs.rmdirSync(p))
export const renameSync = (from: string, to: string): void => by(from, p => fs.renameSync(p, hostPath(to)))
export const writeFileSync = (path: string, content: string): void => by(path, p => fs.writeFileSync(p, content))

export function statSync(path: string): fs.Stats
export function statSync(path: string, options: typeof WIDE): fs.BigIntStats
export function statSync(path: string, options?: typeof WIDE): fs.Stats | fs.BigIntStats {
  return by<fs.Stats | fs.BigIntStats>(path, p => (options === undefined ? fs.statSync(p) : fs.statSync(p, options)))
}

export function lstatSync(path: string): fs.Stats
export function lstatSync(path: string, options: typeof WIDE): fs.BigIntStats
export function lstatSync(path: string, options?: typeof WIDE): fs.Stats | fs.BigIntStats {
  return by<fs.Stats | fs.BigIntStats>(path, p => (options === undefined ? fs.lstatSync(p) : fs.lstatSync(p, options)))
}

export function readFileSync(path: string): Buffer
export function readFileSync(path: string, encoding: 'utf8'): string
export function readFileSync(path: string, encoding?: 'utf8'): string | Buffer {
  return by<string | Buffer>(path, p => fs.readFileSync(p, encoding))
}

/** The content of a file that holds names of the host, such as the kernel's tables. */
export const readNamesSync = (path: string): string => hostText(readFileSync(path))

/** What is left to read of an open file. */
export const readRestSync = (fd: number): string => fs.readFileSync(fd, 'utf8')

export const readdirSync = (path: string): string[] => by(path, p => fs.readdirSync(p, BYTES)).map(hostText)
export const readlinkSync = (path: string): string => hostText(by(path, p => fs.readlinkSync(p, BYTES)))
/** As realpath(3): without links. */
export const realpathSync = (path: string): string => hostText(by(path, p => fs.realpathSync.native(p, BYTES)))
export const mkdtempSync = (prefix: string): string => hostText(by(prefix, p => fs.mkdtempSync(p as string, BYTES)))

export const stat = (path: string): Promise<fs.Stats> => promised(path, p => promises.stat(p))
export const statfs = (path: string): Promise<fs.StatsFs> => promised(path, p => promises.statfs(p))

/** Where this process stands. Throws ENOENT where that has been removed. */
function workingDirectory(): string {
  const told = process.cwd()
  return told.includes('\ufffd') ? readlinkSync('/proc/self/cwd') : told
}

/** The path, absolute, without `.` and `..`; links stay. */
export const resolvePath = (path: string): string =>
  path.startsWith('/') ? resolve(path) : resolve(workingDirectory(), path)

/** The path of an entry, its directory without links; the entry itself may be one. */
export function realEntrySync(path: string): string {
  const absolute = resolvePath(path)
  return absolute === '/' ? absolute : join(realpathSync(dirname(absolute)), basename(absolute))
}
