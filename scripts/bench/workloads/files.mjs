// Contents of files: many small ones, and a large one.

const kib = bytes => (bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`)

/** Files of `from` to `bytes` bytes (all of `bytes` without `from`), by so many processes; `sync`: fsync each. */
export function small({ bytes, from, files, processes, sync = false }) {
  const size = ['--size', bytes, ...(from === undefined ? [] : ['--from', from])]
  const all = ['--count', files, ...size, '--processes', processes]
  const kind = `${from === undefined ? '' : `${from} to `}${kib(bytes)} files${sync ? ', fsync each' : ''} x${processes}`
  return {
    group: kind,
    rows: [
      { name: `${kind}: written`, unit: '/s', work: ['write-small', ...all, ...(sync ? ['--sync'] : [])] },
      { name: `${kind}: read cold`, unit: '/s', work: ['read-small', ...all], isCold: true },
      { name: `${kind}: read warm`, unit: '/s', work: ['read-small', ...all] },
    ],
  }
}

/** A file of `bytes`, streamed, read and overwritten at random places; then all of it checked. */
export function large(bytes, operations) {
  const size = ['--size', bytes]
  const few = Math.ceil(operations / 10)
  const count = [...size, '--count', operations]
  const cold = { isCold: true }
  return {
    group: 'large',
    rows: [
      { name: 'stream written + fsync', unit: 'MiB/s', work: ['write-large', ...size] },
      { name: 'stream read cold', unit: 'MiB/s', work: ['read-large', ...size], ...cold },
      { name: 'stream read warm', unit: 'MiB/s', work: ['read-large', ...size] },
      { name: '4 KiB random read', unit: '/s', work: ['read-random', ...count], ...cold },
      { name: '4 KiB random read x4', unit: '/s', work: ['read-random', ...count, '--processes', 4], ...cold },
      { name: '4 KiB overwrite, one fsync', unit: '/s', work: ['overwrite', ...count] },
      { name: '4 KiB overwrite, fsync each', unit: '/s', work: ['overwrite', ...size, '--count', few, '--sync'] },
      { name: '4 KiB append, O_DSYNC', unit: '/s', work: ['append-dsync', '--count', few] },
      {
        name: 'overwritten file read back',
        work: ['read-overwritten', ...count, '--again', few],
        ...cold,
        isHidden: true,
      },
      { name: 'log read back', work: ['read-log', '--count', few], isHidden: true },
    ],
  }
}
