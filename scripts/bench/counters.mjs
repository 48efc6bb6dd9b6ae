// What a row costs besides time: CPU, context switches and transfers, of the daemon and the device.
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { deviceWork } from '../cost/figures.mjs'
import { must } from './shell.mjs'

/** Switches of all threads, those of threads that have ended left out; bytes as the kernel accounts them. */
function processWork(pid) {
  const io = readFileSync(`/proc/${pid}/io`, 'utf8')
  const bytes = name => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)[1])
  let switches = 0
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      const status = readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8')
      for (const [, number] of status.matchAll(/ctxt_switches:\s+(\d+)/g)) switches += Number(number)
    } catch {
      // The thread has ended meanwhile.
    }
  }
  return { switches, readBytes: bytes('read_bytes'), writtenBytes: bytes('write_bytes') }
}

/** Microseconds, to the nanosecond: /proc counts ticks of 10 ms, too coarse for a short row. */
const cpuUs = (work, pid) => JSON.parse(must(work, 'cpu', String(pid))).cpu_ns / 1000

/**
 * Counters of a target now. `requests` only where it has a block device of its own: reads, writes, discards and
 * flushes that the device has completed; the bytes are the device's then. Where costs are what is asked for
 * (`stage.isCosts`), all that was changed is on the device first.
 */
export function countersOf(target) {
  const { work, isCosts } = target.stage
  if (isCosts) must(work, 'settle', target.dir)
  const sum = { cpuUs: 0, switches: 0, readBytes: 0, writtenBytes: 0 }
  for (const pid of target.pids()) {
    for (const [key, value] of Object.entries(processWork(pid))) sum[key] += value
    sum.cpuUs += cpuUs(work, pid)
  }
  if (target.device === undefined) return sum
  const numbers = readFileSync(`/sys/block/${basename(target.device)}/stat`, 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number)
  const { requests } = deviceWork(numbers)
  return { ...sum, requests, readBytes: numbers[2] * 512, writtenBytes: numbers[6] * 512 }
}

/** What happened between two readings, per operation. */
export function costs(before, after, operations) {
  return Object.fromEntries(Object.keys(after).map(key => [key, (after[key] - before[key]) / operations]))
}
