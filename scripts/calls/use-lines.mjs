// `use` lines of Rust.

/** The leaves of a `use` tree: `{ path, name, glob }`. */
export function parseUse(tokens, close, from, to, before, give) {
  const path = [...before]
  const { line } = tokens[from] ?? {}
  for (let i = from; i < to; i++) {
    const { text, kind } = tokens[i]
    if (text === '{') {
      const end = close.get(i)
      for (let j = i + 1; j < end; ) {
        let k = j
        while (k < end && tokens[k].text !== ',') k = close.has(k) ? close.get(k) + 1 : k + 1
        parseUse(tokens, close, j, k, path, give)
        j = k + 1
      }
      return
    }
    if (text === '*') return give({ path, glob: true, line })
    if (text === 'as') return give({ path: leaf(path), name: tokens[i + 1].text, line })
    if (kind === 'word') path.push(text)
  }
  if (path.length > before.length) give({ path: leaf(path), name: leaf(path).at(-1), line })
}

const leaf = path => (path.at(-1) === 'self' && path.length > 1 ? path.slice(0, -1) : path)
