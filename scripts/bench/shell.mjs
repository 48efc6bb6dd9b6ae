// Running programs: without a shell, with what they said in the error.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

/** Output of a program that must succeed. */
export function must(program, ...args) {
  const done = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (done.error !== undefined) throw new Error(`${program}: ${done.error.message}`)
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${done.stderr.trim() || `exit ${done.status}`}`)
  return done.stdout.trim()
}

/** Whether a program succeeded; what it says is not shown. */
export const quiet = (program, ...args) => spawnSync(program, args, { stdio: 'ignore' }).status === 0

/** The line of /proc/mounts of what is mounted at `dir`, or undefined. */
export const mounted = dir =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .find(line => line.split(' ')[1] === dir)

/** Waits until `isTrue()`; throws after `seconds`. */
export async function until(isTrue, what, seconds = 20) {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await setTimeout(20))
    if (isTrue()) return
  throw new Error(`${what}: not within ${seconds} s`)
}

/** Starts a daemon in front, with a line for its standard input. The beginning of what it prints is in `said`. */
export function daemon(program, args, input = '') {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  child.said = ''
  // Read to the end, or it would wait for a reader one day.
  child.stdout.setEncoding('utf8').on('data', part => {
    child.said = (child.said + part).slice(0, 4096)
  })
  // That it could not start shows where its mount is waited for.
  child.on('error', () => {})
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return child
}

/** Takes a mount off, waiting for whoever is about to let go of it. */
export async function unmount(dir) {
  if (mounted(dir) === undefined) return
  await until(() => quiet('umount', dir) || mounted(dir) === undefined, `umount ${dir}`).catch(error => {
    // A daemon that answers no more would stay in the way of all others.
    quiet('umount', '-l', '-f', dir)
    throw error
  })
}

/** Forgets all clean pages, dentries and inodes of the machine. */
export function dropCaches() {
  must('sync')
  writeFileSync('/proc/sys/vm/drop_caches', '3')
}
