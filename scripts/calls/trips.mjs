// Trips: what one operation flows through, each function followed once in the order of its text.
import { eventsOf } from './bodies.mjs'

/** Where the named trips begin. Others: any `Type::method`. */
export const TRIPS = {
  write: 'FileSystem::write',
  read: 'FileSystem::read',
  create: 'FileSystem::mknod',
  rename: 'FileSystem::rename',
  fsync: 'FileSystem::fsync',
  commit: 'Committer::commit',
}

export function entryOf(crate, name) {
  const [owner, method] = (TRIPS[name] ?? name).split('::')
  const fn = (crate.methods.get(method) ?? []).find(each => each.owner.name === owner && each.body !== undefined)
  if (fn === undefined) throw new Error(`no function ${TRIPS[name] ?? name}`)
  return fn
}

const isTesting = fn => fn.isTesting || /(^|\/)testing(\/|\.)/.test(fn.file)

/** Bodies that a call may run: those of a trait's method are its implementations. */
function bodiesOf(fns) {
  const found = fns.flatMap(fn =>
    fn.owner?.kind === 'trait' && fn.body === undefined
      ? fn.owner.implementors.filter(each => each.name === fn.name)
      : [fn],
  )
  return found.filter(fn => fn.body !== undefined && !isTesting(fn))
}

/**
 * `{ files, moves, steps }`: files entered, with how often; how often the reader of the code changes the
 * file, there and back; the functions in order.
 */
export function trip(crate, entry, isIn = () => true) {
  const files = new Map([[entry.file, 1]])
  const steps = []
  const seen = new Set()
  let moves = 0
  const follow = fn => {
    seen.add(fn)
    steps.push(fn)
    for (const event of eventsOf(crate, fn)) {
      if (event.kind !== 'call' && event.kind !== 'guess') continue
      for (const to of bodiesOf(event.fns)) {
        if (seen.has(to) || !isIn(to.file)) continue
        if (to.file !== fn.file) {
          moves += 2
          files.set(to.file, (files.get(to.file) ?? 0) + 1)
          files.set(fn.file, files.get(fn.file) + 1)
        }
        follow(to)
      }
    }
  }
  follow(entry)
  return { files, moves, steps }
}
