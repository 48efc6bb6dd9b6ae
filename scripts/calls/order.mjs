// The order of a module's rooms: each uses lower ones only.

/**
 * Uses that go upwards, as `{ rooms: 'low -> high', line }`. `order`: rooms, lowest first. `module`: a Module.
 * A room without a place in the order is a fault too.
 */
export function orderFaults(module, order) {
  const height = new Map(order.map((room, at) => [room, at]))
  const faults = new Map()
  const files = [...module.crate.files.keys()].filter(file => module.has(file))
  for (const room of new Set(files.map(file => module.room(file)))) {
    if (!height.has(room)) faults.set(`${room}: stands nowhere in the order`, room)
  }
  for (const { kind, from, to, name } of module.uses) {
    const [a, b] = [module.room(from), module.room(to)]
    if (a === b || !height.has(a) || !height.has(b) || height.get(b) < height.get(a)) continue
    faults.set(
      `${module.file(from)} ${VERB[kind]} ${name} of ${module.file(to)}: ${b} is not below ${a}`,
      `${a} -> ${b}`,
    )
  }
  return [...faults].sort().map(([line, rooms]) => ({ rooms, line }))
}

const VERB = { import: 'imports', call: 'calls', field: 'uses' }
