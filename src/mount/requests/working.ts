/** Long work for a request: a thread's of the addon. A line now and then says that it goes on. */
import { ControlError } from '../../control/message.ts'
import type { Exchange } from '../../control/request.ts'
import type { Failure } from '../../native/failure.ts'

/** Well below the patience of whoever asks. */
const SAY_EVERY_MS = 2000

export async function working<T>(exchange: Exchange, work: Promise<T>): Promise<T> {
  const timer = setInterval(() => void exchange.progress({}), SAY_EVERY_MS)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}

/** What the answer to a request is where the addon failed. */
export const failed = ({ text, code }: Failure): ControlError => new ControlError('FAILED', text === '' ? code : text)
