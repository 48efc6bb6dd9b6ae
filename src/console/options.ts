/** One option of a command: how it describes itself, and what was given for it. */

/**
 * What an option takes: nothing (flag), text, a size in bytes (4k, 2G), a whole number, one of
 * `choices`, or text that may be given several times (list).
 */
export type OptionKind = 'flag' | 'text' | 'size' | 'count' | 'choice' | 'list'

export interface OptionDescription {
  /** Long name without dashes: `dry-run`; the name under which the value is read. */
  readonly name: string
  /** One letter without its dash. */
  readonly short?: string
  /** Further letters that mean the same: `['F']`. */
  readonly alsoShort?: readonly string[]
  readonly kind: OptionKind
  /** Shown for the value in help: `SIZE`. Default: the kind in capitals. */
  readonly value?: string
  readonly choices?: readonly string[]
  readonly summary: string
  /** Accepted for the sake of wrappers such as fsck(8), without a line in the help. */
  readonly hidden?: boolean
}

export type OptionValue = boolean | string | number | readonly string[]

/** Parsed options by long name. Asking for an undeclared one is a bug of the command and throws. */
export class OptionValues {
  readonly #kinds: ReadonlyMap<string, OptionKind>
  readonly #values: ReadonlyMap<string, OptionValue>

  constructor(kinds: ReadonlyMap<string, OptionKind>, values: ReadonlyMap<string, OptionValue>) {
    this.#kinds = kinds
    this.#values = values
  }

  #get(name: string, kinds: readonly OptionKind[]): OptionValue | undefined {
    const kind = this.#kinds.get(name)
    if (kind === undefined || !kinds.includes(kind)) throw new TypeError(`no option ${name} of kind ${kinds.join('|')}`)
    return this.#values.get(name)
  }

  flag(name: string): boolean {
    return this.#get(name, ['flag']) === true
  }

  text(name: string): string | undefined {
    return this.#get(name, ['text', 'choice']) as string | undefined
  }

  /** Bytes of a size option, or the number of a count option. */
  number(name: string): number | undefined {
    return this.#get(name, ['size', 'count']) as number | undefined
  }

  list(name: string): readonly string[] {
    return (this.#get(name, ['list']) as readonly string[] | undefined) ?? []
  }
}
