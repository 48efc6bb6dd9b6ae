/** scripts/calls.mjs as tests use it: the same code, with types. */
// @ts-expect-error a script, plain JavaScript
import * as doors from '../../../scripts/calls/doors.mjs'
// @ts-expect-error a script, plain JavaScript
import * as imports from '../../../scripts/calls/imports.mjs'
// @ts-expect-error a script, plain JavaScript
import * as modules from '../../../scripts/calls/module.mjs'
// @ts-expect-error a script, plain JavaScript
import * as order from '../../../scripts/calls/order.mjs'
// @ts-expect-error a script, plain JavaScript
import * as trips from '../../../scripts/calls/trips.mjs'
import type { Source } from './sources.ts'

/** Text by path: Rust files by their path below `src`, TypeScript files by that from the top. */
export type Texts = ReadonlyMap<string, string>

export interface Use {
  readonly kind: 'import' | 'call' | 'field'
  readonly from: string
  readonly to: string
  readonly name: string
}

export interface Circles {
  readonly imports: readonly string[][]
  readonly calls: readonly string[][]
  readonly both: readonly string[][]
}

export interface Trip {
  readonly fileCount: number
  readonly ownRooms: number
  readonly moves: number
}

export interface Struct {
  readonly name: string
  readonly fields: number
  readonly methods: number
  readonly implBlocks: number
  readonly implBlocksElsewhere: number
}

export interface Module {
  readonly crate: unknown
  readonly uses: readonly Use[]
  readonly ambiguous: readonly { readonly name: string; readonly from: string; readonly line: number }[]
  room(file: string): string
  file(file: string): string
  circles(nameOf: (file: string) => string): Circles
  struct(): Struct | undefined
  trip(entry: unknown, beside: readonly string[]): Trip
}

export const Module = modules.Module as new (texts: Texts, prefix: string) => Module
export const orderFaults = order.orderFaults as (
  module: Module,
  order: readonly string[],
) => { readonly rooms: string; readonly line: string }[]
export const doorProblems = doors.doorProblems as (module: Module, folder: string, outside: string) => string[]
export const foldersWithDoors = doors.foldersWithDoors as (module: Module) => string[]
export const listedDoors = doors.listedDoors as (text: string) => string[] | undefined
export const rustCircles = imports.rustCircles as (texts: Texts) => string[][]
export const typeScriptCircles = imports.typeScriptCircles as (texts: Texts) => string[][]
export const entryOf = trips.entryOf as (crate: unknown, name: string) => unknown

/** The Rust files below a folder, by their path in it. */
export function textsBelow(all: readonly Source[], folder: string): Texts {
  const below = all.filter(({ path }) => path.startsWith(`${folder}/`) && path.endsWith('.rs'))
  return new Map(below.map(({ path, text }) => [path.slice(folder.length + 1), text]))
}
