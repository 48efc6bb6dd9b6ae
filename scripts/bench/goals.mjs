// What a run is to show: the ratios that rows of hn4 are held to. Pure.
import { Found, ratio, shortfalls } from './report.mjs'

/** Where a goal lies beyond this share of the limit, this share is the goal. */
const LIMIT_SHARE = 0.8

/** Rows whose name matches, what they are compared with, at least; `by` another target than hn4's default mode. */
const GOALS = [
  [/^(create|rename|unlink|mkdir|rmdir|stat, cold) x/, 'limit', 0.8],
  [/^list, cold/, 'limit', 0.8],
  [/^list \+ stat, cold/, 'ext4', 1],
  [/^4 KiB files x\d: written/, 'limit', 0.8],
  [/^4 KiB files(, fsync each)? x\d: read cold/, 'ext4', 1],
  [/^stream written \+ fsync$/, 'ext4-direct', 1.2],
  [/^stream read cold$/, 'ext4-direct', 0.8],
  [/^4 KiB random read/, 'ext4-direct', 0.9],
  [/^4 KiB overwrite, one fsync$/, 'limit', 0.7],
  [/^4 KiB overwrite, one fsync$/, 'ext4', 0.8, 'hn4-writeback'],
  [/^4 KiB overwrite, fsync each|^4 KiB files, fsync each x1: written|O_DSYNC|^SQLite/, 'ext4', 1.3],
  [/^(untar|cp -a|git add|rm -rf|diff -r|grep -r)$/, 'limit', 0.8],
]
/** Rows that are compared with another row of the same target, or with the same row of a peer. */
const AGES = [
  [/^(.*) at 90 %$/, ([, name]) => `${name} at 10 %`, 0.8],
  [/^(.*), overwritten twice (at 80 %)$/, ([, name, where]) => `${name}, fresh ${where}`, 0.5],
]
/** Rows that are to stay below a figure, in their unit. */
const AT_MOST = [[/^mount after a crash/, 2000]]
const AGED_PEERS = [[/overwritten twice/, 'btrfs', 3]]
/** Every line is to be so far ahead of these; where the disk or the kernel's cache decides, level with them. */
const PEERS = ['fuse2fs', 'ntfs-3g', 'gocryptfs', 'bindfs']
const AHEAD = 1.5
const DISK_OR_CACHE = /cold|warm|fsync|DSYNC|random read|SQLite|diff|grep|compare|status/

/**
 * What is to be shown of a row: [{ by, against, row, figure, wanted }]; `row`: another one of the same target; `figure`:
 * one that stands fast.
 */
export function goalsOf(row) {
  const own = GOALS.filter(([name]) => name.test(row)).map(([, against, wanted, by]) => ({ by, against, wanted }))
  if (/ at \d+ %$/.test(row)) {
    const ages = AGES.map(([name, other, wanted]) => [name.exec(row), other, wanted])
    return [
      ...ages.filter(([match]) => match !== null).map(([match, other, wanted]) => ({ row: other(match), wanted })),
      ...AGED_PEERS.filter(([name]) => name.test(row)).map(([, against, wanted]) => ({ against, wanted })),
    ]
  }
  if (/^(mkfs|mount|resident)/.test(row))
    return AT_MOST.filter(([name]) => name.test(row)).map(([, figure]) => ({ figure, wanted: 1 }))
  const wanted = DISK_OR_CACHE.test(row) ? 1 : AHEAD
  return [...own, ...PEERS.map(against => ({ against, wanted }))]
}

/** What a goal compares a measured row with, or undefined where that was not measured. */
function otherOf(found, one, { against, row, figure }) {
  if (figure !== undefined) return { figure }
  if (row !== undefined) return found.at(row, one.target)
  return against === 'limit' ? found.limit(one.row, one.transport) : found.at(one.row, against)
}

/** Each goal that the run can judge: { row, target, against, ratio, wanted, ofLimit, isMet }. `list`: medians. */
export function judge(list) {
  const found = new Found(list)
  const judged = []
  for (const row of found.rows)
    for (const goal of goalsOf(row))
      for (const name of goal.by === undefined ? ['hn4-uring', 'hn4-dev'] : [goal.by]) {
        const one = found.at(row, name)
        const other = one && otherOf(found, one, goal)
        if (other === undefined) continue
        const limit = found.limit(row, one.transport)
        const reached = ratio(one.unit, one.figure, other.figure)
        const ofLimit = limit === undefined ? 0 : ratio(one.unit, one.figure, limit.figure)
        const isMet = reached >= goal.wanted || ofLimit >= LIMIT_SHARE
        const against = goal.against ?? goal.row ?? `${goal.figure} ${one.unit}`
        judged.push({ row, target: name, against, ratio: reached, wanted: goal.wanted, ofLimit, isMet })
      }
  return judged
}

/** Lines of a table of the goals that were not met, behind one that counts them. */
export const goalLines = list =>
  shortfalls(judge(list), ['work', 'target', 'beside', 'ratio', 'wanted', 'of the limit'], 3, one => [
    one.row,
    one.target,
    one.against,
    one.ratio.toFixed(2),
    one.wanted.toFixed(2),
    one.ofLimit === 0 ? '' : one.ofLimit.toFixed(2),
  ])
