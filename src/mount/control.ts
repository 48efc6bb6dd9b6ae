/** The control socket of a mount: named by its device number, for two mounts may be of equal volumes. */
import { reasonOf } from '../base/error.ts'
import { runtimeDirectory, socketPath } from '../control/directory.ts'
import type { Handler } from '../control/request.ts'
import { type ControlSocket, openControlSocket } from '../control/server.ts'
import { isHn4Mount, type Mount, mounts } from '../device/mount-table.ts'
import { addon } from '../native/addon.ts'
import type { Daemon } from './requests/daemon.ts'
import { answerStatus } from './requests/status.ts'
import { answerSync } from './requests/sync.ts'
import { answerTrim } from './requests/trim.ts'

/** Everything that can be asked; a new request is a line here. */
const HANDLERS: ReadonlyArray<(daemon: Daemon) => Handler> = [answerStatus, answerSync, answerTrim]

function ownMount({ request }: Daemon): Mount {
  const found = mounts().findLast(
    mount => isHn4Mount(mount) && mount.at === request.mountpoint && mount.source === request.image,
  )
  if (found === undefined) throw new Error('the mount is not in the mount table')
  return found
}

/** Opens the socket. Without one the mount works all the same, so a failure is a line of the log. */
export async function openControl(daemon: Daemon): Promise<ControlSocket | undefined> {
  const { logLine } = addon()
  try {
    const uid = process.geteuid?.() ?? -1
    return await openControlSocket({
      path: socketPath(runtimeDirectory(uid), ownMount(daemon).device),
      handlers: HANDLERS.map(make => make(daemon)),
      uid,
      onDefect: error => logLine(`control socket: ${reasonOf(error)}`),
    })
  } catch (error) {
    logLine(`no control socket, hn4 status will not work: ${reasonOf(error)}`)
    return undefined
  }
}
