// What the curves of hn4 are to show. Pure.
import { digits, ratio, shortfalls } from '../report.mjs'

/** As the table of files fills: at least this share of the figure of an almost empty one, up to a load in percent. */
const SHARES = [
  { upTo: 80, share: 0.7 },
  { upTo: 95, share: 0.5 },
]
/** With a million files, where that was measured: [curve, figure in its unit]. */
const MILLION = 1_000_000
const AT_MILLION = [
  ['find + stat, cold', 20_000],
  ['resident, files known', 400],
]

function judgeLoad(points) {
  const curves = new Set(points.map(({ target, curve }) => JSON.stringify([target, curve])))
  return [...curves].flatMap(key => {
    const [target, curve] = JSON.parse(key)
    const own = points.filter(one => one.target === target && one.curve === curve).sort((a, b) => a.x - b.x)
    const [first, ...later] = own
    return later.map(one => {
      const { share } = SHARES.find(({ upTo }) => one.x <= upTo) ?? SHARES.at(-1)
      const reached = ratio(one.unit, one.figure, first.figure)
      return { ...one, wanted: `${share} of ${digits(first.figure)}`, ratio: reached, isMet: reached >= share }
    })
  })
}

/** Each point that a goal stands for: with { wanted, ratio, isMet }. */
export function judgeGrowth(points) {
  const ours = points.filter(({ target }) => target.startsWith('hn4'))
  const million = ours.filter(({ series, x }) => series === 'files' && x === MILLION)
  return [
    ...judgeLoad(ours.filter(({ series }) => series === 'load')),
    ...AT_MILLION.flatMap(([curve, figure]) =>
      million
        .filter(one => one.curve === curve)
        .map(one => {
          const reached = ratio(one.unit, one.figure, figure)
          return { ...one, wanted: String(figure), ratio: reached, isMet: reached >= 1 }
        }),
    ),
  ]
}

/** Lines of a table of the points that fall short, behind one that counts them. */
export const growthGoalLines = points =>
  shortfalls(judgeGrowth(points), ['curve', 'target', 'at', 'unit', 'figure', 'wanted', 'ratio'], 2, one => [
    one.curve,
    one.target,
    String(one.x),
    one.unit,
    digits(one.figure),
    one.wanted,
    one.ratio.toFixed(2),
  ])
