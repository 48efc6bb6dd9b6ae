/** References to documents and files, in comments and in documents: what they name must be there. */
import { dirname, join, normalize } from 'node:path'
import type { Source } from './sources.ts'

export interface Heading {
  /** Of a numbered section, or of the one that the heading stands in. */
  readonly section: string | undefined
  readonly title: string
  readonly anchor: string
}

/** Headings of each document by its path; a paragraph that begins `**Like this.**` counts as one. */
export type Documents = ReadonlyMap<string, readonly Heading[]>

/** Blanks out what a pattern matches; places and lines stay. */
const blank = (text: string, pattern: RegExp) => text.replace(pattern, found => found.replace(/[^\n]/g, ' '))

const withoutFences = (text: string) => blank(text, /^(```|~~~)[\s\S]*?^\1/gm)

/** The anchor that GitHub gives a heading. */
export function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replace(/ /g, '-')
}

export function headingsOf(text: string): Heading[] {
  let section: string | undefined
  const found: Heading[] = []
  for (const line of withoutFences(text).split('\n')) {
    const heading = /^#+ (.*?)\s*$/.exec(line)?.[1]
    if (heading !== undefined) {
      const numbered = /^(\d+(?:\.\d+)*)\.? (.*)$/.exec(heading)
      if (numbered?.[1] !== undefined || line.startsWith('## ')) section = numbered?.[1]
      found.push({ section, title: numbered?.[2] ?? heading, anchor: anchorOf(heading) })
    }
    const bold = /^(?:- )?\*\*([^*]+?)\.?\*\*/.exec(line)?.[1]
    if (bold !== undefined) found.push({ section, title: bold, anchor: '' })
  }
  return found
}

/** The comments of a file of code, everything else blank. */
export function commentsOf({ path, text }: Source): string {
  const marks = /\.(sh|toml|yml)$/.test(path) ? /(?<=^|\s)#[^\n]*/gm : /(?<=^|\s)(?:\/\*[\s\S]*?\*\/|\/\/[^\n]*)/gm
  let comments = ''
  let at = 0
  for (const found of text.matchAll(marks)) {
    comments += blank(text.slice(at, found.index), /[^\n]+/g)
    comments += found[0].replace(
      /^(\s*)(\/\/[/!]?|\/\*\*?|\*\/?|#)/gm,
      (_, space, mark) => space + ' '.repeat(mark.length),
    )
    at = found.index + found[0].length
  }
  return comments
}

/** One running text: references go over the end of a line, list numbers and table rows do not. */
function running(text: string): string {
  return blank(text, /^\s*(?:\d+\.|[-*>]) /gm)
    .replace(/\n(?=\s*\n|\s*\|)/g, ';')
    .replace(/\n/g, ' ')
}

const NAME = String.raw`(?<![\w/.-])((?:[\w-]+/)*[\w-]+\.md)`
const NUMBERS = String.raw`(?:,?\s+(?:sections?\s+)?((?:\d+(?:\.\d+)*)(?:(?:,\s+|\s+and\s+)\d+(?:\.\d+)*)*)(?![\w%]))?`
const TITLE = String.raw`(?:,?\s+(?:section\s+)?"([^"]+)"|,\s+([A-Z][\w ]*?)(?=[)\]]|\s*\|))?`
const REFERENCE = new RegExp(`${NAME}(#[\\w-]+)?${NUMBERS}${TITLE}`, 'g')
const BACKWARDS = /\bsections?\s+(\d+(?:\.\d+)*)\s+of\s+\[?([\w/-]+\.md)/g
const OWN_SECTION = /(?<!protocol,?\s+)\bsections?\s+(\d+(?:\.\d+)*)(?!\s+of\s|[\w.]*\d)/gi
const LINK = /\]\(([^()\s]+)(?:\s+"[^"]*")?\)/g
/** A path with an ending, or one that begins with a folder of the project. */
const FILE = /(?<![\w./*~:-])(?:[\w*-][\w.*-]*\/)+[\w.*-]+\.(?:rs|ts|mjs|sh|md|json|toml|svg)(?![\w/])/g
const FOLDER = /(?<![\w./*~:-])(?:native|src|test|scripts|docs|mkfs|fsck-scrub|man|images)(?:\/[\w*-][\w.*-]*)+/g

export class References {
  readonly documents: Documents
  readonly #paths: readonly string[]

  /** `paths`: every file of the project. */
  constructor(documents: readonly Source[], paths: readonly string[]) {
    this.documents = new Map(documents.map(({ path, text }) => [path, headingsOf(text)]))
    this.#paths = paths
  }

  /** What a file's references lack, as `reference: why`. */
  problems(source: Source): string[] {
    const isDocument = source.path.endsWith('.md')
    const text = isDocument ? withoutFences(source.text) : commentsOf(source)
    const flat = running(text)
    return [
      ...this.#named(source.path, flat),
      ...(isDocument ? this.#links(source.path, text) : []),
      ...(isDocument ? this.#ownSections(source.path, flat) : []),
      ...this.#files(flat, isDocument),
    ].map(problem => problem.replace(/\s+/g, ' '))
  }

  /** The document that a name means in a file: beside it, in docs/, or at the top. */
  #document(from: string, name: string): string | undefined {
    const places = [normalize(join(dirname(from), name)), `docs/${name}`, `docs/adr/${name}`, name]
    return places.find(path => this.documents.has(path))
  }

  #named(from: string, text: string): string[] {
    const found = [...text.matchAll(REFERENCE)].flatMap(([all, name = '', anchor, numbers, quoted, plain]) => {
      const path = this.#document(from, name)
      if (path === undefined) return [`${all}: no such document`]
      const sections = numbers?.match(/\d+(?:\.\d+)*/g) ?? []
      const title = quoted ?? plain
      return [
        ...(anchor === undefined ? [] : this.#anchor(all, path, anchor.slice(1))),
        ...sections.flatMap(section => this.#section(all, path, section)),
        ...(title === undefined ? [] : this.#title(all, path, sections.at(-1), title)),
      ]
    })
    const backwards = [...text.matchAll(BACKWARDS)].flatMap(([all, section = '', name = '']) => {
      const path = this.#document(from, name)
      return path === undefined ? [`${all}: no such document`] : this.#section(all, path, section)
    })
    return [...found, ...backwards]
  }

  #section(reference: string, path: string, section: string): string[] {
    const isThere = this.documents.get(path)?.some(heading => heading.section === section) ?? false
    return isThere ? [] : [`${reference}: ${path} has no section ${section}`]
  }

  #title(reference: string, path: string, section: string | undefined, title: string): string[] {
    const isMeant = (heading: Heading) =>
      heading.title.toLowerCase() === title.toLowerCase() && (section === undefined || heading.section === section)
    const where = section === undefined ? path : `${path} ${section}`
    return this.documents.get(path)?.some(isMeant) === true ? [] : [`${reference}: ${where} has no heading "${title}"`]
  }

  #anchor(reference: string, path: string, anchor: string): string[] {
    const isThere = this.documents.get(path)?.some(heading => heading.anchor === anchor) ?? false
    return isThere ? [] : [`${reference}: ${path} has no heading #${anchor}`]
  }

  #links(from: string, text: string): string[] {
    return [...text.matchAll(LINK)].flatMap(([, target = '']) => {
      if (/^[a-z]+:/.test(target)) return []
      const [file = '', anchor] = target.split('#')
      const path = file === '' ? from : normalize(join(dirname(from), file)).replace(/\/$/, '')
      if (!this.#exists(path)) return [`(${target}): no such file`]
      return anchor === undefined ? [] : this.#anchor(`(${target})`, path, anchor)
    })
  }

  /** `section 7` alone, in a document whose sections have numbers. */
  #ownSections(path: string, text: string): string[] {
    if (this.documents.get(path)?.some(heading => heading.section !== undefined) !== true) return []
    const named = blank(text, REFERENCE)
    return [...named.matchAll(OWN_SECTION)].flatMap(([all, section = '']) => this.#section(all, path, section))
  }

  /** Paths of files anywhere, and of folders in documents. `volume/mod.rs` is found below any folder. */
  #files(text: string, isDocument: boolean): string[] {
    const files = [...text.matchAll(FILE)].map(([path]) => path)
    const folders = isDocument ? [...text.matchAll(FOLDER)].map(([path]) => path.replace(/[.]+$/, '')) : []
    return [...new Set([...files, ...folders])]
      .filter(path => !path.startsWith('dist/') && !this.#exists(path))
      .map(path => `${path}: no such file`)
  }

  #exists(path: string): boolean {
    const escaped = path.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '[^/]*')
    const whole = new RegExp(`(?:^|/)${escaped}(?:\\.(?:rs|ts))?(?:/|$)`)
    return this.#paths.some(each => whole.test(each))
  }
}
