/**
 * Property tests. A failure prints its seed and path; HN4_SEED=... HN4_PATH=... replays it, and
 * HN4_RUNS multiplies the number of runs for a long search.
 */
const number = (name: string): number | undefined => {
  const text = process.env[name]
  return text === undefined || text === '' ? undefined : Number(text)
}

/** Parameters for fc.assert: `fc.assert(fc.property(...), runs(200))`. */
export function runs(count: number): { numRuns: number; seed?: number; path?: string } {
  const seed = number('HN4_SEED')
  const path = process.env.HN4_PATH
  return {
    numRuns: Math.ceil(count * (number('HN4_RUNS') ?? 1)),
    ...(seed !== undefined && { seed }),
    ...(path !== undefined && path !== '' && { path }),
  }
}
