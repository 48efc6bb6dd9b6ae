// Memory of a daemon with many files: node scripts/soak-memory.mjs [FILES]   (default 1,000,000)
// Build first (npm run build); as root, for it drops the kernel's caches. Makes a volume through the engine, then
// looks up, reads and closes every file of its mount, and shows what the daemon holds: mounted, with all files
// known to the kernel, and after the kernel has forgotten them. Exit code 1: more than docs/architecture.md,
// "Memory", says.
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { mountAt } from '../dist/src/device/mount-table.js'
import { daemonOf } from '../dist/src/mount/processes.js'
import { addon } from '../dist/src/native/addon.js'
import { isFailure } from '../dist/src/native/failure.js'
import { must } from '../dist/test/support/scratch.js'

const files = Number(process.argv[2] ?? 1_000_000)
if (!Number.isInteger(files) || files < 1 || process.getuid() !== 0) {
  console.error('soak-memory: the argument is a number of files; root is needed')
  process.exit(16)
}

const MIB = 1 << 20
/** Names of one directory. */
const IN_DIRECTORY = 10_000
/** One file in so many has a block, the others fit their anchors. */
const ONE_WITH_BLOCK = 8

/** What docs/architecture.md promises beyond what the daemon holds when it has just mounted. */
const CACHES = (64 + 32 + 32) * MIB
const INODES = 100_000 * 2048
const REMEMBERED = 100
const most = CACHES + INODES + files * REMEMBERED
/** After the kernel has forgotten them: the caches, and an eighth of the inodes. */
const mostForgotten = CACHES + INODES / 8

const given = value => {
  if (isFailure(value)) throw new Error(`${value.code}: ${value.text}`)
  return value
}
const nameOf = i => `file-${i % IN_DIRECTORY}`
const directoryOf = i => `directory-${Math.floor(i / IN_DIRECTORY)}`
const contentOf = i => Buffer.from(`${i} `.repeat(i % ONE_WITH_BLOCK === 0 ? 100 : 1))

/** Through the engine: a mount would take many times as long. */
function make(image) {
  const volume = given(addon().openVolume(image, false))
  let directory
  for (let i = 0; i < files; i++) {
    if (i % IN_DIRECTORY === 0) directory = given(volume.mkdir(1, Buffer.from(directoryOf(i)), 0o755))
    const file = given(volume.create(directory.ino, Buffer.from(nameOf(i)), 0o644))
    given(volume.write(file.ino, 0, contentOf(i)))
    given(volume.forget(file.ino))
  }
  given(volume.close())
}

function readAll(mountpoint) {
  const bytes = Buffer.alloc(4096)
  for (let i = 0; i < files; i++) {
    const file = openSync(join(mountpoint, directoryOf(i), nameOf(i)))
    const count = readSync(file, bytes)
    closeSync(file)
    if (!bytes.subarray(0, count).equals(contentOf(i))) throw new Error(`file ${i} differs`)
  }
}

/** Bytes of a field of /proc/PID/status. */
function held(pid, field) {
  return Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024
}
const cpuOf = pid => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).join()

/** Until the daemon does nothing any more. */
async function untilIdle(pid) {
  for (let same = 0, before = ''; same < 4; ) {
    await sleep(500)
    const now = cpuOf(pid)
    same = now === before ? same + 1 : 0
    before = now
  }
}

const folder = mkdtempSync(join(tmpdir(), 'hn4-memory-'))
const [image, mountpoint] = [join(folder, 'disk.img'), join(folder, 'mnt')]
const seconds = began => `${((performance.now() - began) / 1000).toFixed(0)} s`
let isMounted = false
try {
  mkdirSync(mountpoint)
  must('mkfs', '-q', '-N', String(Math.ceil(files * 1.2) + 1000), image, '4G')
  let began = performance.now()
  make(image)
  console.log(`${files} files made: ${seconds(began)}`)
  must('mount', image, mountpoint)
  isMounted = true
  const { pid } = daemonOf(mountAt(mountpoint))
  await untilIdle(pid)
  const start = held(pid, 'VmRSS')
  const show = what => {
    const now = held(pid, 'VmRSS')
    console.log(`${what}: ${(now / MIB).toFixed(0)} MiB, ${((now - start) / MIB).toFixed(0)} more than mounted`)
    return now - start
  }
  show('mounted')
  began = performance.now()
  readAll(mountpoint)
  console.log(`looked up, read and closed: ${seconds(began)}`)
  await untilIdle(pid)
  const known = show('all known to the kernel')
  console.log(`peak: ${(held(pid, 'VmHWM') / MIB).toFixed(0)} MiB`)
  writeFileSync('/proc/sys/vm/drop_caches', '2')
  await untilIdle(pid)
  const forgotten = show('forgotten by the kernel')
  must('umount', mountpoint)
  isMounted = false
  if (known > most) console.error(`more than ${(most / MIB).toFixed(0)} MiB beyond the start`)
  if (forgotten > mostForgotten) console.error(`more than ${(mostForgotten / MIB).toFixed(0)} MiB stay`)
  process.exitCode = known > most || forgotten > mostForgotten ? 1 : 0
} finally {
  if (isMounted) must('umount', mountpoint)
  rmSync(folder, { recursive: true, force: true })
}
