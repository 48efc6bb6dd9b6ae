/** The checks on a volume whose blocks need a codec: the commands themselves know none. */
import { fsck } from '../../fsck-scrub/command.ts'
import { FSCK_PASSES, SCRUB_PASSES } from '../../fsck-scrub/passes/all.ts'
import { runPasses } from '../../fsck-scrub/run.ts'
import { scrubCommand } from '../../fsck-scrub/scrub-command.ts'
import type { Command } from '../../src/console/command.ts'
import type { CodecMaker } from '../../src/format/block-codec.ts'

/** `fsck.hn4 -n` with the codec. */
export const fsckWith = (codec: CodecMaker | undefined): Command => ({
  ...fsck,
  run: ctx => runPasses(ctx, { image: ctx.arg(0), passes: FSCK_PASSES, codec }),
})

/** `hn4 scrub` with the codec. */
export const scrubWith = (codec: CodecMaker | undefined): Command => ({
  ...scrubCommand,
  run: ctx => runPasses(ctx, { image: ctx.arg(0), passes: SCRUB_PASSES, codec }),
})
