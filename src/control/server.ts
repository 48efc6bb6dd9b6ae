/**
 * The daemon's end of a control socket.
 *
 * Rules:
 * - only root and the user who serves the mount are heard (SO_PEERCRED); the directory's mode is the
 *   first guard, this the second;
 * - a connection has one request at a time, and a limit of time for each line it sends;
 * - what is half, too long or malformed does nothing but end its connection.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { ioError } from '../base/error.ts'
import { chmodSync, lstatSync, renameSync, rmSync } from '../base/host-files.ts'
import { Connection, type ConnectionSettings, dismiss } from './connection.ts'
import { ControlError } from './message.ts'
import { peerOf } from './peer.ts'
import type { Handler } from './request.ts'

export interface ServerSettings {
  readonly path: string
  readonly handlers: readonly Handler[]
  /** The user who may ask, besides root. */
  readonly uid: number
  /** A request that ended in an error of ours. */
  readonly onDefect: (error: unknown) => void
  readonly limits?: Partial<Limits>
}

export interface Limits {
  readonly connections: number
  /** For a whole line to arrive, and for the peer to take what it is sent. */
  readonly patienceMs: number
}

const LIMITS: Limits = { connections: 16, patienceMs: 10_000 }

/** Peers that are told why they are refused; more at once are only cut off. */
const REFUSED_MAX = 64

/** Listens; the socket is in its place when this resolves. Throws Hn4Error. */
export async function openControlSocket(settings: ServerSettings): Promise<ControlSocket> {
  const socket = new ControlSocket(settings)
  await socket.open()
  return socket
}

export class ControlSocket {
  readonly #settings: ServerSettings
  readonly #limits: Limits
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  /** Peers that are being told that they are not heard. */
  readonly #refused = new Set<Socket>()
  /** Number of the socket's file, to know it from one that has taken its place. */
  #ino: bigint | undefined

  constructor(settings: ServerSettings) {
    this.#settings = settings
    this.#limits = { ...LIMITS, ...settings.limits }
    // A peer that has said all may close its side and still wait for the answer.
    this.#server = createServer({ allowHalfOpen: true }, socket => this.#accept(socket))
  }

  get path(): string {
    return this.#settings.path
  }

  async open(): Promise<void> {
    const { path } = this.#settings
    const fresh = `${path}.${process.pid}`
    try {
      rmSync(fresh, { force: true })
      await this.#listen(fresh)
      chmodSync(fresh, 0o600)
      this.#ino = lstatSync(fresh, { bigint: true }).ino
      // In one step, over what a killed daemon has left: the device number is this mount's alone.
      renameSync(fresh, path)
    } catch (error) {
      this.#server.close()
      throw ioError(path, 'make', error)
    }
    this.#server.on('error', this.#settings.onDefect)
  }

  #listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(path, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }

  #accept(socket: Socket): void {
    // Whatever happens to a peer is its own affair.
    socket.on('error', () => socket.destroy())
    const refusal = this.#refusal(socket)
    if (refusal !== undefined) {
      this.#refuse(socket, refusal)
      return
    }
    const { handlers, onDefect } = this.#settings
    const settings: ConnectionSettings = { handlers, onDefect, patienceMs: this.#limits.patienceMs }
    const connection = new Connection(socket, settings)
    this.#connections.add(connection)
    socket.once('close', () => this.#connections.delete(connection))
  }

  #refuse(socket: Socket, error: ControlError): void {
    if (this.#refused.size >= REFUSED_MAX) {
      socket.destroy()
      return
    }
    this.#refused.add(socket)
    socket.once('close', () => this.#refused.delete(socket))
    dismiss(socket, this.#limits.patienceMs, error)
  }

  #refusal(socket: Socket): ControlError | undefined {
    const peer = peerOf(socket)
    if (peer !== 0 && peer !== this.#settings.uid) return new ControlError('ACCESS', 'the mount is not yours')
    if (this.#connections.size < this.#limits.connections) return undefined
    return new ControlError('BUSY', `${this.#limits.connections} connections already`)
  }

  /** Ends every connection and removes the socket, unless another has taken its place. */
  close(): void {
    this.#server.close()
    for (const connection of this.#connections) connection.end()
    for (const socket of this.#refused) socket.destroy()
    try {
      if (lstatSync(this.path, { bigint: true }).ino === this.#ino) rmSync(this.path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#settings.onDefect(error)
    }
  }
}
