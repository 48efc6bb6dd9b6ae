/** What this process was started with, by names as src/base/host-text.ts writes them. */
import { readFileSync } from './host-files.ts'
import { hostText } from './host-text.ts'

/** What Node puts in place of bytes that are not UTF-8. */
const REPLACED = '\ufffd'

/** Words of a file in which each ends with NUL. */
function wordsOf(file: string): string[] {
  const bytes = readFileSync(file)
  const words: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at)
    words.push(hostText(bytes.subarray(at, end < 0 ? undefined : end)))
    at = end < 0 ? bytes.length : end + 1
  }
  return words
}

/** The words behind the name of the script. */
export function hostArguments(): string[] {
  const words = process.argv.slice(2)
  if (!words.some(word => word.includes(REPLACED))) return words
  return wordsOf('/proc/self/cmdline').slice(-words.length)
}

/** The environment that this process began with. */
export function hostEnvironment(): Readonly<Record<string, string | undefined>> {
  const all = { ...process.env }
  if (!Object.values(all).some(value => value?.includes(REPLACED) === true)) return all
  for (const word of wordsOf('/proc/self/environ')) {
    const [name = ''] = word.split('=', 1)
    if (all[name]?.includes(REPLACED) === true) all[name] = word.slice(name.length + 1)
  }
  return all
}

/** As os.tmpdir(). */
export function temporaryDirectory(environment = hostEnvironment()): string {
  const { TMPDIR, TMP, TEMP } = environment
  const named = [TMPDIR, TMP, TEMP].find(value => value !== undefined && value !== '') ?? '/tmp'
  return named.length > 1 && named.endsWith('/') ? named.slice(0, -1) : named
}
