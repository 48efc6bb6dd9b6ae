// What the targets use of the scripts above them.
export { which } from '../../bootstrap/tools.mjs'
export { daemon, mounted, must, quiet, unmount, until } from '../shell.mjs'
