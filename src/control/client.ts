/** The commands' end of a control socket: one question, one answer. */
import { connect, type Socket } from 'node:net'
import { Hn4Error, ioError } from '../base/error.ts'
import { lstatSync } from '../base/host-files.ts'
import type { Mount } from '../device/mount-table.ts'
import { checkDirectory, searchedDirectories, socketPath } from './directory.ts'
import type { Fields } from './fields.ts'
import { ControlError, LineReader, parseReply, REPLY_BYTES_MAX, type Reply, requestLine } from './message.ts'
import { peerOf } from './peer.ts'
import type { RequestKind } from './request.ts'

/** The mount that is asked. */
export interface Place {
  /** `major:minor`, as in /proc/self/mountinfo. */
  readonly device: string
  /** The user who serves it. */
  readonly uid: number
  /** For messages. */
  readonly mountpoint: string
}

/** Where the daemon of a mount is asked. */
export const placeOf = ({ device, uid, at }: Mount): Place => ({ device, uid: uid ?? 0, mountpoint: at })

export interface AskSettings {
  /** For each line of the reply. */
  readonly patienceMs?: number
  readonly onProgress?: (fields: Fields) => void
  /** Directories to look in, for tests. */
  readonly directories?: readonly string[]
}

const PATIENCE_MS = 10_000

/** The socket of a mount. Throws ACCESS if it is another user's, NOT_FOUND if there is none. */
function findSocket({ device, uid, mountpoint }: Place, directories: readonly string[]): string {
  for (const directory of directories) {
    const path = socketPath(directory, device)
    try {
      lstatSync(path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR') continue
      if (code === 'EACCES') {
        const text = `the mount belongs to user ${uid}: only they and root may ask its daemon`
        throw new Hn4Error('ACCESS', { path: mountpoint, text }, { cause: error })
      }
      throw ioError(path, 'look at', error)
    }
    checkDirectory(directory, uid)
    return path
  }
  const text = 'no control socket: the daemon has ended, or could not make one (then its log says why)'
  throw new Hn4Error('NOT_FOUND', { path: mountpoint, text })
}

/** Asks the daemon of a mount. Throws Hn4Error: what the daemon answered instead, or that it does not answer. */
export async function ask<Arguments extends object, Answer extends object>(
  place: Place,
  kind: RequestKind<Arguments, Answer>,
  args: Arguments,
  settings: AskSettings = {},
): Promise<Answer> {
  const directories = settings.directories ?? searchedDirectories(place.uid, process.getuid?.() ?? -1)
  const path = findSocket(place, directories)
  const socket = connect(path)
  try {
    const fields = await new Question(socket, place, settings).ask(requestLine(kind.name, args))
    return kind.answer(fields)
  } catch (error) {
    throw failure(error, place, path)
  } finally {
    socket.destroy()
  }
}

function failure(error: unknown, { mountpoint }: Place, path: string): Hn4Error {
  if (error instanceof Hn4Error) return error
  const { code } = error as NodeJS.ErrnoException
  const detail = (text: string) => ({ path: mountpoint, text })
  if (code === 'ECONNREFUSED') return new Hn4Error('IO', detail('the daemon has ended'), { cause: error })
  if (error instanceof ControlError) {
    if (error.code === 'ACCESS') return new Hn4Error('ACCESS', detail(error.message), { cause: error })
    if (error.code === 'BUSY') return new Hn4Error('BUSY', detail(`the daemon: ${error.message}`), { cause: error })
    return new Hn4Error('IO', detail(`the daemon: ${error.message}`), { cause: error })
  }
  if (error instanceof TypeError) return new Hn4Error('IO', detail(`the daemon's answer: ${error.message}`))
  return ioError(path, 'ask', error)
}

class Question {
  readonly #socket: Socket
  readonly #place: Place
  readonly #settings: AskSettings
  readonly #lines = new LineReader(REPLY_BYTES_MAX)

  constructor(socket: Socket, place: Place, settings: AskSettings) {
    this.#socket = socket
    this.#place = place
    this.#settings = settings
  }

  ask(request: string): Promise<Fields> {
    const socket = this.#socket
    const patienceMs = this.#settings.patienceMs ?? PATIENCE_MS
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#error('does not answer')), patienceMs)
      const finish = (settle: () => void) => {
        clearTimeout(timer)
        settle()
      }
      socket.once('connect', () => {
        // The name may lead elsewhere than to the daemon, whose words will be believed.
        if (peerOf(socket) !== this.#place.uid) finish(() => reject(this.#error('is not who answers here')))
        else socket.write(request)
      })
      socket.on('data', chunk => {
        this.#lines.push(chunk)
        try {
          const answer = this.#read(timer)
          if (answer !== undefined) finish(() => resolve(answer))
        } catch (error) {
          finish(() => reject(error))
        }
      })
      socket.once('error', error => finish(() => reject(error)))
      socket.once('close', () => finish(() => reject(this.#error('hung up'))))
    })
  }

  /** The answer, once it is there. Throws what the daemon answered instead. */
  #read(timer: NodeJS.Timeout): Fields | undefined {
    for (;;) {
      const line = this.#lines.next()
      if (line === undefined) return undefined
      const reply: Reply = parseReply(line)
      if (reply.is === 'error') throw reply.error
      if (reply.is === 'answer') return reply.fields
      timer.refresh()
      this.#settings.onProgress?.(reply.fields)
    }
  }

  #error(what: string): Hn4Error {
    return new Hn4Error('IO', { path: this.#place.mountpoint, text: `the daemon ${what}` })
  }
}
