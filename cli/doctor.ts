/** `hn4 doctor`: what this machine has, what it lacks, and what to type about it. */
import type { Command } from '../src/console/command.ts'
import type { Context } from '../src/console/context.ts'
import { EXIT } from '../src/console/exit-codes.ts'
import { examine, type Finding, mountObstacle } from '../src/mount/machine.ts'

const MARKS = { good: 'ok  ', bad: 'LACK', info: 'note' } as const

function line(ctx: Context, finding: Finding, width: number): string {
  const [mark, paint] = finding.isGood
    ? ([MARKS.good, ctx.colour.green] as const)
    : finding.weight === 'info'
      ? ([MARKS.info, ctx.colour.yellow] as const)
      : ([MARKS.bad, ctx.colour.red] as const)
  return `${paint(mark)}  ${finding.name.padEnd(width)}  ${finding.found}`
}

function run(ctx: Context): number {
  const findings = examine()
  const obstacle = mountObstacle(findings)
  const exit = obstacle === undefined ? EXIT.OK : EXIT.FAILED
  if (ctx.isJson) {
    ctx.json({
      can_mount: obstacle === undefined,
      findings: findings.map(({ name, weight, isGood, found, advice }) => ({
        name,
        weight,
        good: isGood,
        found,
        advice,
      })),
    })
    return exit
  }
  const width = Math.max(...findings.map(finding => finding.name.length))
  for (const finding of findings) {
    ctx.print(line(ctx, finding, width))
    if (finding.advice !== undefined) ctx.print(`      ${finding.advice}`)
  }
  ctx.print()
  ctx.print(
    obstacle === undefined
      ? 'mounting works here'
      : 'image mode only: hn4 ls, cat, stat, scrub and the like work on images, mount does not',
  )
  return exit
}

export const doctor: Command = {
  name: 'doctor',
  summary: 'show what this machine offers for mounting, and how to get what it lacks',
  description: ['Exit code 0: mounting works; 1: only the commands that work on images do.'],
  exits: 'mkfs',
  examples: [
    { line: 'hn4 doctor', meaning: 'a table of findings, each with what to do' },
    { line: 'hn4 doctor --json', meaning: 'the same for a program' },
    { line: 'hn4 doctor -q && hn4 mount disk.img /mnt', meaning: 'mount only where it can work' },
  ],
  run,
}
