// Running what is measured: the client in C, and other programs.
import { spawn } from 'node:child_process'

/** What runs now, in a process group of its own. */
let running

/** Ends what runs: its row fails. */
export function stopRunning() {
  if (running?.pid === undefined) return
  try {
    process.kill(-running.pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

/** Output of a program, which may end with one other exit code than 0; as a promise, so that signals are heard. */
export function output(program, args, input = '', exit = 0) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    running = child
    let [text, errors] = ['', '']
    child.stdout.setEncoding('utf8').on('data', part => {
      text += part
    })
    child.stderr.setEncoding('utf8').on('data', part => {
      errors += part
    })
    child.on('error', reject)
    child.on('close', code =>
      code === 0 || code === exit ? resolve(text) : reject(new Error(`${program}: ${errors.trim() || `exit ${code}`}`)),
    )
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

/** Runs an operation of the client below `dir`: { operations, seconds }. */
export async function runClient(stage, what, dir, args = []) {
  return JSON.parse(await output(stage.work, [what, dir, ...args.map(String)]))
}
