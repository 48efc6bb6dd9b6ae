// The same on a filesystem that is filled step by step, and on a file that was overwritten at random twice over.

const MIB = 2 ** 20
const cold = { isCold: true }

/** Folder of the file that each level overwrites; the one that is read stays as it was written. */
const OVER = 'over'

function atLevel(percent, { files, size, operations }) {
  const at = name => `${name} at ${percent} %`
  const over = ['--size', size / 2]
  const few = Math.ceil(operations / 10)
  // Each level in a folder of its own: the client's processes work below a number.
  const inside = { inside: `at${percent}` }
  const row = (name, unit, ...work) => ({ name: at(name), unit, work, ...inside })
  return [
    { name: `fill to ${percent} %`, work: ['fill', '--percent', percent], isHidden: true },
    row('create', '/s', 'create', '--count', files),
    row('rename', '/s', 'rename', '--count', files),
    { ...row('stat, cold', '/s', 'stat', '--count', files), isCold: true },
    row('4 KiB files: written', '/s', 'write-small', '--count', files, '--size', 4096),
    { ...row('4 KiB files: read cold', '/s', 'read-small', '--count', files, '--size', 4096), ...cold },
    row('stream written + fsync', 'MiB/s', 'rewrite-large', '--count', 8, '--size', 8 * MIB),
    { ...row('stream read cold', 'MiB/s', 'read-large', '--size', size), ...cold, inside: undefined },
    {
      ...row('4 KiB random read', '/s', 'read-random', '--size', size, '--count', operations),
      ...cold,
      inside: undefined,
    },
    { ...row('4 KiB overwrite, one fsync', '/s', 'overwrite', ...over, '--count', operations), inside: OVER },
    { ...row('4 KiB overwrite, fsync each', '/s', 'overwrite', ...over, '--count', few, '--sync'), inside: OVER },
    {
      name: at('overwritten file read back'),
      work: ['read-overwritten', ...over, '--count', operations, '--again', few],
      ...cold,
      inside: OVER,
      isHidden: true,
    },
    row('unlink', '/s', 'unlink', '--count', files),
  ]
}

/** `size`: of the file that is read, in bytes; with half as much beside it less than a tenth of the image. */
export function fill(bytes, options) {
  return {
    group: 'fill',
    needsImage: true,
    bytes,
    rows: [
      { name: 'file to be read', work: ['write-large', '--size', options.size], isHidden: true },
      {
        name: 'file to be overwritten',
        work: ['write-large', '--size', options.size / 2],
        inside: OVER,
        isHidden: true,
      },
      ...[10, 50, 90, 99].flatMap(percent => atLevel(percent, options)),
    ],
  }
}

/** Twice as many overwrites as the file has blocks, at 80 % fill. */
export function aged(bytes, size) {
  const overwrites = (2 * size) / 4096
  // Every byte is checked in the clock, both times.
  const read = (name, count) => ({
    name,
    unit: 'MiB/s',
    work: ['read-overwritten', '--size', size, '--count', count, '--again', 0],
    ...cold,
  })
  return {
    group: 'aged',
    needsImage: true,
    bytes,
    rows: [
      { name: 'file to be read', work: ['write-large', '--size', size], isHidden: true },
      { name: 'fill to 80 %', work: ['fill', '--percent', 80], isHidden: true },
      read('stream read cold, fresh at 80 %', 0),
      {
        name: '4 KiB overwrite, all blocks twice at 80 %',
        unit: '/s',
        work: ['overwrite', '--size', size, '--count', overwrites],
      },
      read('stream read cold, overwritten twice at 80 %', overwrites),
    ],
  }
}
