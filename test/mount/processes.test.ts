import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { isAlive, processOf } from '../../src/mount/processes.ts'

/** A program whose first thread ends at once, while a second one lives on and keeps its files. */
const SOURCE = `
#include <pthread.h>
#include <unistd.h>
static void *stay(void *none) { for (;;) pause(); return none; }
int main(void) {
  pthread_t second;
  if (pthread_create(&second, NULL, stay, NULL) != 0) return 1;
  pthread_exit(NULL);
}
`

t.test('a process whose first thread has ended lives until its last one has', async t => {
  const folder = t.testdir()
  const [source, program] = [join(folder, 'threads.c'), join(folder, 'threads')]
  writeFileSync(source, SOURCE)
  const built = spawnSync('cc', ['-pthread', '-o', program, source], { encoding: 'utf8' })
  t.equal(built.status, 0, built.stderr)

  const child = spawn(program, { stdio: 'ignore' })
  const { pid } = child
  if (pid === undefined) return t.fail('it did not start')
  const ended = once(child, 'exit')
  t.teardown(() => child.kill('SIGKILL'))
  while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) await sleep(5)

  const process = processOf(pid)
  if (process === undefined) return t.fail('taken for ended')
  t.ok(isAlive(process))
  child.kill('SIGKILL')
  await ended
  t.notOk(isAlive(process))
})
