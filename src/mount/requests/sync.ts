/** Answers `sync`. */
import { handler } from '../../control/request.ts'
import { sync } from '../../control/requests/sync.ts'
import type { Daemon } from './daemon.ts'
import { failed, working } from './working.ts'

export const answerSync = ({ handle }: Daemon) =>
  handler(sync, async (_, exchange) => {
    const failure = await working(exchange, handle.sync())
    if (failure !== undefined) throw failed(failure)
    return {}
  })
