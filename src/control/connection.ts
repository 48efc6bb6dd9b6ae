/** One client of a control socket: its lines are served in order, one at a time. */
import type { Socket } from 'node:net'
import { ControlError, errorLine, LineReader, parseRequest, REQUEST_BYTES_MAX, replyLine, shaped } from './message.ts'
import type { Exchange, Handler } from './request.ts'

export interface ConnectionSettings {
  readonly handlers: readonly Handler[]
  readonly onDefect: (error: unknown) => void
  /** For a whole line to arrive, and for the peer to take what it is sent. */
  readonly patienceMs: number
}

/**
 * Says `error`, if there is one, and lets go of a peer. What it still sends is taken and thrown away for
 * a while: were the socket closed at once, its next write would fail before it has read the error.
 */
export function dismiss(socket: Socket, patienceMs: number, error?: ControlError): void {
  if (socket.writableEnded || socket.destroyed) return
  const timer = setTimeout(() => socket.destroy(), patienceMs)
  socket.once('close', () => clearTimeout(timer))
  if (error === undefined) socket.end()
  else socket.end(errorLine(error))
  socket.resume()
}

export class Connection {
  readonly #socket: Socket
  readonly #settings: ConnectionSettings
  readonly #lines = new LineReader(REQUEST_BYTES_MAX)
  readonly #gone = new AbortController()
  #patience: NodeJS.Timeout | undefined
  #isServing = false
  /** The peer sends no more. */
  #isOver = false

  constructor(socket: Socket, settings: ConnectionSettings) {
    this.#socket = socket
    this.#settings = settings
    socket.on('data', chunk => {
      if (socket.writableEnded) return
      this.#lines.push(chunk)
      void this.#serveAll()
    })
    socket.once('end', () => {
      this.#isOver = true
      if (!this.#isServing) this.end()
    })
    socket.once('close', () => {
      clearTimeout(this.#patience)
      this.#gone.abort()
    })
    this.#awaitLine()
  }

  /** Says `error`, if there is one, and lets go of the peer. */
  end(error?: ControlError): void {
    clearTimeout(this.#patience)
    dismiss(this.#socket, this.#settings.patienceMs, error)
  }

  #wait(onLate: () => void): void {
    clearTimeout(this.#patience)
    if (!this.#socket.destroyed) this.#patience = setTimeout(onLate, this.#settings.patienceMs)
  }

  /** The clock runs from line to line: bytes that trickle in do not stop it. */
  #awaitLine(): void {
    const late = new ControlError('LATE', `no request within ${this.#settings.patienceMs} ms`)
    this.#wait(() => this.end(late))
  }

  async #serveAll(): Promise<void> {
    if (this.#isServing) return
    this.#isServing = true
    // What is not read yet stays in the kernel, so that nobody fills our memory.
    this.#socket.pause()
    try {
      while (!this.#socket.writableEnded) {
        const line = this.#lines.next()
        if (line === undefined) break
        clearTimeout(this.#patience)
        await this.#send(await this.#answer(line))
        if (!this.#socket.writableEnded) this.#awaitLine()
      }
    } catch (error) {
      if (!(error instanceof ControlError)) this.#settings.onDefect(error)
      this.end(error instanceof ControlError ? error : undefined)
    }
    this.#isServing = false
    if (this.#isOver) this.end()
    else this.#socket.resume()
  }

  /** The line that answers a request. Throws a ControlError after which the connection makes no sense. */
  async #answer(line: Buffer): Promise<string> {
    const request = parseRequest(line)
    const { handlers, onDefect } = this.#settings
    try {
      const found = handlers.find(({ name }) => name === request.name)
      if (found === undefined) throw new ControlError('UNKNOWN', `no request '${request.name}' in this version`)
      const run = shaped('ARGUMENT', () => found.prepare(request.arguments))
      return replyLine('answer', await run(this.#exchange()))
    } catch (error) {
      if (error instanceof ControlError) return errorLine(error)
      onDefect(error)
      return errorLine(new ControlError('FAILED', error instanceof Error ? error.message : String(error)))
    }
  }

  #exchange(): Exchange {
    return {
      progress: value => this.#send(replyLine('progress', value)),
      cancelled: this.#gone.signal,
    }
  }

  /** Resolves when the peer can take more; one that does not in time is let go. */
  #send(text: string): Promise<void> {
    const socket = this.#socket
    if (socket.destroyed || socket.write(text)) return Promise.resolve()
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(timer)
        socket.off('drain', done).off('close', done)
        resolve()
      }
      const timer = setTimeout(() => socket.destroy(), this.#settings.patienceMs)
      socket.once('drain', done).once('close', done)
    })
  }
}
