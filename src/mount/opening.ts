/** What is said of a volume that could not be opened: the engine's sentence, and what can be done. */
import { Hn4Error } from '../base/error.ts'
import { namedContent } from '../device/signatures.ts'
import { errorOf, type Failure } from '../native/failure.ts'

/** What a host says whose space, quota or file size is at its limit. */
const HOST_FULL = /No space left on device|Disk quota exceeded|File too large/

export function openingError(failure: Failure, image: string): Hn4Error {
  const error = errorOf(failure, image)
  const withMore = (more: { readonly text?: string; readonly hint?: string }) =>
    new Hn4Error(error.code, { ...error.detail, ...more }, { cause: error })
  // A log to replay needs room on the host, where the image is sparse.
  if (HOST_FULL.test(failure.text))
    return withMore({ hint: 'free space where the image lies, or mount it with -o ro, which writes nothing' })
  if (failure.code === 'ReadOnly') return withMore({ hint: 'mount it with -o ro' })
  const what = failure.code === 'InvalidArgument' ? namedContent(image) : null
  return what === null ? error : withMore({ text: `${error.message}; it holds ${what}` })
}
