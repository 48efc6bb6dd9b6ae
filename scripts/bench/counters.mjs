// What a row costs besides time: CPU, context switches and transfers, of the daemon, the client and the device.
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { deviceWork } from '../cost/figures.mjs'
import { must } from './shell.mjs'

const TICKS = Number(must('getconf', 'CLK_TCK'))

function processWork(pid) {
  // The name may hold blanks and brackets: fields are counted from its end.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
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
  return {
    cpuUs: ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1e6,
    switches,
    readBytes: bytes('read_bytes'),
    writtenBytes: bytes('write_bytes'),
  }
}

/** Counters of a target now. `requests` only where it has a block device of its own. */
export function countersOf(target) {
  const sum = { cpuUs: 0, switches: 0, readBytes: 0, writtenBytes: 0 }
  for (const pid of target.pids()) for (const [key, value] of Object.entries(processWork(pid))) sum[key] += value
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
