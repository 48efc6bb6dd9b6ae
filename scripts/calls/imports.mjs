// Circles of files by imports, in Rust and in TypeScript.
import { dirname, join, normalize } from 'node:path'
import { Crate } from './crate.mjs'
import { circles, graphOf } from './graph.mjs'
import { usesOf } from './uses.mjs'

/** Circles of a crate's files, by their paths without `.rs`. `texts` as Crate takes them. */
export function rustCircles(texts) {
  const { uses } = usesOf(new Crate(texts), { withBodies: false })
  const imports = uses.filter(use => use.isTie && use.kind === 'import')
  return circles(graphOf(imports, file => file.replace(/\.rs$/, '')))
}

const IMPORT = /(?:\bfrom|\bimport\s*\(?)\s*'(\.{1,2}\/[^']+)'/g

/** Circles of TypeScript files by their paths; imports of types alone count. `texts`: path to text. */
export function typeScriptCircles(texts) {
  const uses = []
  for (const [path, text] of texts) {
    const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/[^\n]*/g, '$1')
    for (const [, name] of code.matchAll(IMPORT)) {
      const to = normalize(join(dirname(path), name))
      if (texts.has(to)) uses.push({ from: path, to })
    }
  }
  return circles(graphOf(uses, path => path.replace(/\.ts$/, '')))
}
