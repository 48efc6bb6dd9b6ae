// The tables of a run: figures with their ratios, both programs of the limit, the peers. Pure.
import { beside, digits, Found, markdown, ratio } from './report.mjs'

const MIRRORS = ['ext4', 'ext4-direct']
/** MemVfs below this share of the limit in C: our session costs more than it should. */
const SESSION_MIN = 0.9

const cell = one => (one === undefined ? '' : digits(one.figure))

/** hn4 by each transport, the limit of each, ext4, and what hn4 is beside them (1: equal, above: ahead). */
export function speedTable(list) {
  const found = new Found(list)
  const ours = found.targets.filter(name => name.startsWith('hn4'))
  const transports = ['uring', 'dev'].filter(name => list.some(one => one.kind === 'limit' && one.transport === name))
  const judged = transports.filter(name => ours.includes(`hn4-${name}`))
  const mirrors = MIRRORS.filter(name => found.targets.includes(name))
  const head = [
    'work',
    'unit',
    ...ours,
    ...transports.map(name => `limit ${name}`),
    ...mirrors,
    ...judged.map(name => `${name} / limit`),
    ...mirrors.map(name => `hn4 / ${name}`),
  ]
  const rows = found.rows.filter(row => ours.length === 0 || found.of(row).some(one => one.kind === 'hn4'))
  const lines = rows.map(row => [
    row,
    found.of(row)[0].unit,
    ...ours.map(name => cell(found.at(row, name))),
    ...transports.map(name => cell(found.limit(row, name))),
    ...mirrors.map(name => cell(found.at(row, name))),
    ...judged.map(name => beside(found.at(row, `hn4-${name}`), found.limit(row, name))),
    ...mirrors.map(name => beside(found.hn4(row), found.at(row, name))),
  ])
  return markdown(head, lines, 2)
}

/** All others, each figure with what hn4 is beside it; no lines where none took part. */
export function peerTable(list) {
  const found = new Found(list)
  const isPeer = name => list.some(one => one.target === name && (one.kind === 'peer' || one.kind === 'kernel'))
  const peers = found.targets.filter(name => isPeer(name) && !MIRRORS.includes(name))
  if (peers.length === 0) return []
  const lines = found.rows.map(row => [
    row,
    found.of(row)[0].unit,
    ...peers.map(name => {
      const [mine, one] = [found.hn4(row), found.at(row, name)]
      return mine === undefined || one === undefined ? cell(one) : `${cell(one)} (${beside(mine, one)})`
    }),
  ])
  return markdown(['work', 'unit', ...peers], lines, 2)
}

/** MemVfs on our session beside the daemon in C, by transport; a star where it is below 0.9 of it. */
export function sessionTable(list) {
  const found = new Found(list)
  const both = ['uring', 'dev'].filter(name =>
    ['memvfs', 'limit'].every(kind => found.targets.includes(`${kind}-${name}`)),
  )
  if (both.length === 0) return []
  const head = ['work', 'unit', ...both.flatMap(name => [`C, ${name}`, `MemVfs, ${name}`, 'ratio'])]
  const lines = found.rows
    .filter(row => both.some(name => found.limit(row, name) !== undefined))
    .map(row => [
      row,
      found.of(row)[0].unit,
      ...both.flatMap(name => {
        const [c, ours] = [found.at(row, `limit-${name}`), found.at(row, `memvfs-${name}`)]
        const isLow = c !== undefined && ours !== undefined && ratio(c.unit, ours.figure, c.figure) < SESSION_MIN
        return [cell(c), cell(ours), `${beside(ours, c)}${isLow ? ' *' : ''}`]
      }),
    ])
  return markdown(head, lines, 2)
}
