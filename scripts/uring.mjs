// FUSE over io_uring for as long as a script runs: the kernel's switch for it, as root.
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs'
import { say } from './bootstrap/tools.mjs'

const SETTING = '/sys/module/fuse/parameters/enable_uring'

const read = () => {
  try {
    return readFileSync(SETTING, 'utf8').trim()
  } catch {
    return undefined
  }
}

function mayChange() {
  try {
    accessSync(SETTING, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Switches it on where the kernel has it and we may, says so, and puts it back at the end of this process, however
 * it ends but by kill -9. Whether it is on.
 */
export function switchUringOn() {
  const before = read()
  if (before === undefined) return false
  if (before === 'Y') return true
  if (!mayChange()) return false
  writeFileSync(SETTING, 'Y')
  say(`FUSE over io_uring is switched on meanwhile (${SETTING})`)
  process.on('exit', () => writeFileSync(SETTING, before))
  for (const [name, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ])
    process.on(name, () => process.exit(128 + number))
  return true
}
