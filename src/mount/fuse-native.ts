/**
 * Loads the package fuse-native, the second transport. It wants libfuse2, which few systems still
 * carry; the package brings one, and loading that first satisfies the linker by its soname.
 */
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'

/** Keeps the library when Node closes it again for not being an addon (dlfcn.h, Linux). */
const RTLD_NODELETE = 0x1000

const LIBRARIES = ['fuse-native/prebuilds/linux-x64/libfuse.so', 'fuse-shared-library-linux/libfuse/lib/libfuse.so']

function preload(require: NodeJS.Require): void {
  for (const library of LIBRARIES) {
    const [name = '', ...rest] = library.split('/')
    try {
      const folder = dirname(require.resolve(`${name}/package.json`))
      process.dlopen({ exports: {} }, join(folder, ...rest), constants.dlopen.RTLD_LAZY | RTLD_NODELETE)
    } catch {
      // "Module did not self-register" is the good case: it is loaded, and no addon.
    }
  }
}

/** The package's export. Throws what `require` throws if it does not load even so. */
export function loadFuseNative(): unknown {
  const require = createRequire(import.meta.url)
  try {
    return require('fuse-native')
  } catch (error) {
    if (!/libfuse\.so\.2/.test((error as Error).message)) throw error
    preload(require)
    return require('fuse-native')
  }
}
