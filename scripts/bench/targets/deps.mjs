// What the targets use of the scripts above them.
export { which } from '../../bootstrap/tools.mjs'
export { daemon, must, mounted, quiet, unmount, until } from '../shell.mjs'
