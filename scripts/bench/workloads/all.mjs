// What is measured: rows of a group run one after another on one fresh filesystem, each on what those before it left.
import { large, small } from './files.mjs'
import { aged, fill } from './fill.mjs'
import { names } from './names.mjs'
import { programs, sqlite } from './programs.mjs'
import { volumes } from './volumes.mjs'

const PROCESSES = [1, 2, 4]
const MIB = 2 ** 20

/** Sizes: a run of about ten minutes, `--full`, and the one of `--costs`, which is the same always. */
const SIZES = {
  short: { files: 4000, mib: 256, operations: 5000, rollback: 200, wal: 400 },
  full: { files: 40_000, mib: 2048, operations: 50_000, rollback: 1000, wal: 2000 },
  costs: { files: 4000, mib: 128, operations: 4000, rollback: 200, wal: 400 },
}

/** Groups as one on one filesystem, each in a folder of its own: making and mounting it takes longer than they do. */
const together = (group, groups) => ({
  group,
  rows: groups.flatMap(({ rows }, i) => rows.map(row => ({ ...row, inside: String(i) }))),
})

/** Groups of the daily run. `size`: a name of SIZES. */
export function mainGroups(size) {
  const { files, mib, operations, rollback, wal } = SIZES[size]
  const each = options => PROCESSES.map(processes => small({ ...options, processes }))
  return [
    ...PROCESSES.map(processes => names(processes, files)),
    ...each({ bytes: 4096, files: files / 2 }),
    small({ bytes: 4096, files: files / 8, processes: 1, sync: true }),
    ...PROCESSES.map(processes =>
      together(`tiny files x${processes}`, [
        small({ bytes: 28, from: 1, files: files / 2, processes }),
        small({ bytes: 29, files: files / 2, processes }),
      ]),
    ),
    large(mib * MIB, operations),
    programs(),
    together('SQLite', [sqlite('DELETE', rollback), sqlite('WAL', wal)]),
    volumes(),
  ]
}

/** Groups of `--fill`. */
export function fillGroups(isFull) {
  const [gib, mib] = isFull ? [16, 512] : [2, 128]
  const options = { files: 1000, size: mib * MIB, operations: isFull ? 10_000 : 2000 }
  return [fill(gib * 2 ** 30, options), aged(gib * 2 ** 30, mib * MIB)]
}
