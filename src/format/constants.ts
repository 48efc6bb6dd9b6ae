/** The named numbers of layout.ts, by name. */
import { CONSTANTS, type ConstantName, DATA_CLASS_FIELDS, EXTENSIONS, FLAGS, LOG_ITEMS } from './layout.ts'

const BY_NAME = new Map<string, number>(CONSTANTS.map(([name, value]) => [name, value]))

export function constant(name: ConstantName): number {
  return BY_NAME.get(name)!
}

type FlagSet = keyof typeof FLAGS
/** Names of the flags of a set. */
export type FlagName<S extends FlagSet> = (typeof FLAGS)[S][number][0]

/** Value of a flag: 2^bit. */
export function flag<S extends FlagSet>(set: S, name: FlagName<S>): number {
  const found = (FLAGS[set] as readonly (readonly [string, number, string])[]).find(([n]) => n === name)
  return 2 ** found![1]
}

/** Names of the flags of `set` that `value` has, in bit order. */
export function flagNames(set: FlagSet, value: bigint): string[] {
  return FLAGS[set].filter(([, bit]) => (value >> BigInt(bit)) & 1n).map(([name]) => name)
}

/** Bits that `set` names. */
export function knownBits(set: FlagSet): bigint {
  return FLAGS[set].reduce((bits, [, bit]) => bits | (1n << BigInt(bit)), 0n)
}

/** A bit field inside data_class. */
export function dataClassField(name: (typeof DATA_CLASS_FIELDS)[number][0], value: bigint): number {
  const [, bit, width] = DATA_CLASS_FIELDS.find(([n]) => n === name)!
  return Number((value >> BigInt(bit)) & ((1n << BigInt(width)) - 1n))
}

/** Type number of a log item. */
export function itemType(name: (typeof LOG_ITEMS)[number][0]): number {
  return LOG_ITEMS.find(([n]) => n === name)![1]
}

export type ExtensionName = (typeof EXTENSIONS)[number][0]

/** Type number of an extension record. */
export function extensionType(name: ExtensionName): number {
  return EXTENSIONS.find(([n]) => n === name)![1]
}
