/** What a volume of sample.ts must give back. */
import type { Test } from 'tap'
import { printableBytes } from '../../src/base/printable.ts'
import type { Volume } from '../../src/reader/volume.ts'
import type { Sample } from './sample.ts'

export function readAll(volume: Volume, path: string): Uint8Array {
  return new Uint8Array(Buffer.concat([...volume.readFile(volume.lookup(path))]))
}

/** Every file, link and name, and nothing else. */
export function checkEverything(t: Test, volume: Volume, { contents, links }: Sample): void {
  for (const [path, expected] of contents) {
    if (Buffer.compare(readAll(volume, path), expected) !== 0) t.fail(`content of ${path}`)
  }
  for (const [path, target] of links) t.equal(printableBytes(volume.readlink(volume.lookup(path))), target)
  const walked = [...volume.walk()]
  t.strictSame(
    walked.filter(item => item.error).map(item => item.error?.message),
    [],
  )
  const paths = new Set(walked.map(item => item.path))
  for (const path of [...contents.keys(), ...links.keys()]) if (!paths.has(path)) t.fail(`${path} is not in the walk`)
  t.equal(paths.size, contents.size + links.size + 5, 'and nothing else')
}
