// Reading tap's output: what of it a log shows, and how many tests it tells of.

/** Files and their verdicts, whatever failed with its diagnosis, and remarks of the tests. */
export class TapFilter {
  #diagnosisEnd = undefined
  #mayBegin = undefined

  /** True if this line belongs into a log. */
  shows(line) {
    if (this.#diagnosisEnd !== undefined) {
      if (line === this.#diagnosisEnd) this.#diagnosisEnd = undefined
      return true
    }
    if (this.#mayBegin !== undefined && line === `${this.#mayBegin}  ---`) {
      this.#diagnosisEnd = `${this.#mayBegin}  ...`
      this.#mayBegin = undefined
      return true
    }
    this.#mayBegin = undefined
    const failed = /^( *)not ok \d/.exec(line)
    if (failed !== null) {
      if (!/ # (SKIP|TODO)\b/i.test(line)) this.#mayBegin = failed[1]
      return true
    }
    return /^ok \d/.test(line) || / # SKIP\b/i.test(line) || /^ {4}# (?!Subtest|time=|\{)/.test(line)
  }
}

/**
 * A test is a point one level below its file: a t.test() or an assertion of the file itself. A
 * file that fails with all its tests good (it crashed, or ran out of time) is one failure more.
 */
export function countTap(tap) {
  const all = { passed: 0, failed: 0, skipped: 0 }
  let failedInFile = 0
  for (const line of tap.split('\n')) {
    const point = /^( {4})?(not )?ok \d+(.*)$/.exec(line)
    if (point === null) continue
    const [, indent, not, rest] = point
    if (indent === undefined) {
      if (not !== undefined && failedInFile === 0) all.failed++
      failedInFile = 0
    } else if (/ # (SKIP|TODO)\b/i.test(rest)) all.skipped++
    else if (not === undefined) all.passed++
    else {
      all.failed++
      failedInFile++
    }
  }
  return all
}
