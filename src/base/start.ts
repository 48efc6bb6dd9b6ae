/** The beginning of an executable: the program's own files are opened here, and there may be too few descriptors for that. */

/** Runs `load`, which imports the program. `exit`: the code of an operational error. */
export async function start(tool: string, exit: number, load: () => Promise<void>): Promise<void> {
  try {
    await load()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EMFILE' && code !== 'ENFILE') throw error
    process.stderr.write(`${tool}: too many open files for a start; raise the limit: ulimit -n 256\n`)
    process.exit(exit)
  }
}
