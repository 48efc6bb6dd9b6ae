// Graphs of names: what uses what, and the circles in it.

/** `Map` from a name to the sorted names that it uses. */
export function graphOf(uses, nameOf) {
  const graph = new Map()
  for (const { from, to } of uses) {
    const [a, b] = [nameOf(from), nameOf(to)]
    if (a === undefined || b === undefined) continue
    if (!graph.has(a)) graph.set(a, new Set())
    if (!graph.has(b)) graph.set(b, new Set())
    if (a !== b) graph.get(a).add(b)
  }
  return new Map([...graph].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, to]) => [name, [...to].sort()]))
}

/** Strongly connected components of two names and more, each sorted (Tarjan). */
export function circles(graph) {
  const found = []
  const index = new Map()
  const low = new Map()
  const stack = []
  const onStack = new Set()
  const visit = name => {
    index.set(name, index.size)
    low.set(name, index.get(name))
    stack.push(name)
    onStack.add(name)
    for (const to of graph.get(name) ?? []) {
      if (!index.has(to)) {
        visit(to)
        low.set(name, Math.min(low.get(name), low.get(to)))
      } else if (onStack.has(to)) low.set(name, Math.min(low.get(name), index.get(to)))
    }
    if (low.get(name) !== index.get(name)) return
    const circle = stack.splice(stack.indexOf(name))
    for (const each of circle) onStack.delete(each)
    if (circle.length > 1) found.push(circle.sort())
  }
  for (const name of graph.keys()) if (!index.has(name)) visit(name)
  return found.sort((a, b) => b.length - a.length || (a[0] < b[0] ? -1 : 1))
}
