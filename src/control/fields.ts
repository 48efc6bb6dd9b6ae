/** The fields of a JSON object that somebody else wrote, each read with the type that it must have. */

export class Fields {
  readonly #values: ReadonlyMap<string, unknown>

  private constructor(values: ReadonlyMap<string, unknown>) {
    this.#values = values
  }

  static readonly none = new Fields(new Map())

  /** Undefined if the value is no object. */
  static of(value: unknown): Fields | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return new Fields(new Map(Object.entries(value)))
  }

  /** Throws if there is a field of another name: it may mean what is not understood here. */
  only(...names: readonly string[]): void {
    const other = [...this.#values.keys()].find(name => !names.includes(name))
    if (other !== undefined) throw new TypeError(`no field '${other}' is known here`)
  }

  text(name: string): string {
    return this.#get(name, 'string') as string
  }

  /** A whole number that is not negative, below 2^53. */
  number(name: string): number {
    const value = this.#get(name, 'number') as number
    if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`'${name}' is not a whole number`)
    return value
  }

  optionalText(name: string): string | undefined {
    return this.#isAbsent(name) ? undefined : this.text(name)
  }

  optionalNumber(name: string): number | undefined {
    return this.#isAbsent(name) ? undefined : this.number(name)
  }

  optionalFields(name: string): Fields | undefined {
    if (this.#isAbsent(name)) return undefined
    const found = Fields.of(this.#values.get(name))
    if (found === undefined) throw new TypeError(`'${name}' is not an object`)
    return found
  }

  choice<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.text(name)
    const found = choices.find(choice => choice === value)
    if (found === undefined) throw new TypeError(`'${name}' is not one of ${choices.join(', ')}`)
    return found
  }

  #isAbsent(name: string): boolean {
    const value = this.#values.get(name)
    return value === undefined || value === null
  }

  #get(name: string, type: 'string' | 'number'): unknown {
    const value = this.#values.get(name)
    if (typeof value !== type) throw new TypeError(`'${name}' is not a ${type}`)
    return value
  }
}
