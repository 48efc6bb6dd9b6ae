/** Answers `trim`. */
import { handler } from '../../control/request.ts'
import { trim } from '../../control/requests/trim.ts'
import { isFailure } from '../../native/failure.ts'
import type { Daemon } from './daemon.ts'
import { failed, working } from './working.ts'

export const answerTrim = ({ handle }: Daemon) =>
  handler(trim, async (_, exchange) => {
    const blocks = await working(exchange, handle.trim())
    if (isFailure(blocks)) throw failed(blocks)
    return { blocks }
  })
