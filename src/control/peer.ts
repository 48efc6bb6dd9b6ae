/** Who is at the other end of a socket. */
import type { Socket } from 'node:net'
import { addon } from '../native/addon.ts'
import { isFailure } from '../native/failure.ts'

/** Node shows the descriptor of a socket nowhere else. */
interface WithHandle {
  readonly _handle?: { readonly fd?: number } | null
}

/** The peer's user id; undefined where it cannot be told, which nobody may take for leave. */
export function peerOf(socket: Socket): number | undefined {
  const fd = (socket as unknown as WithHandle)._handle?.fd
  if (fd === undefined || fd < 0) return undefined
  const uid = addon().peerUid(fd)
  return isFailure(uid) ? undefined : uid
}
