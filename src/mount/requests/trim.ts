/** Answers `trim`. The work is a thread's of the addon; a line now and then says that it goes on. */
import { ControlError } from '../../control/message.ts'
import { type Exchange, handler } from '../../control/request.ts'
import { type Trimmed, trim } from '../../control/requests/trim.ts'
import { isFailure } from '../../native/failure.ts'
import type { Daemon } from './daemon.ts'

/** Well below the patience of whoever asks. */
const SAY_EVERY_MS = 2000

async function trimmed({ handle }: Daemon, exchange: Exchange): Promise<Trimmed> {
  const timer = setInterval(() => void exchange.progress({}), SAY_EVERY_MS)
  try {
    const blocks = await handle.trim()
    if (isFailure(blocks)) throw new ControlError('FAILED', blocks.text === '' ? blocks.code : blocks.text)
    return { blocks }
  } finally {
    clearInterval(timer)
  }
}

export const answerTrim = (daemon: Daemon) => handler(trim, (_, exchange) => trimmed(daemon, exchange))
