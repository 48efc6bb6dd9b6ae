// Operations on names by so many processes.

/** Names of a directory made by the client: that many, and `.` and `..`. */
const PER_DIRECTORY = 1000

/** `files`: of all processes together. */
export function names(processes, files) {
  const all = ['--count', files, '--processes', processes]
  const few = ['--count', Math.ceil(files / 2), '--processes', processes]
  const row = (what, args, options = {}) => ({
    name: `${what} x${processes}`,
    unit: '/s',
    work: [what, ...args],
    ...options,
  })
  return {
    group: `names x${processes}`,
    rows: [
      row('create', all),
      row('rename', all),
      row('stat', all, { name: `stat, cold x${processes}`, isCold: true }),
      row('stat', all, { name: `stat, warm x${processes}` }),
      row('list', all, { name: `list, cold x${processes}`, isCold: true }),
      row('list-stat', all, { name: `list + stat, cold x${processes}`, isCold: true }),
      ...(processes === 1 ? [longList(files)] : []),
      row('unlink', all),
      row('mkdir', few),
      row('rmdir', few),
    ],
  }
}

/** As people list: with owners by name, and extended attributes asked for. */
const longList = files => ({
  name: 'ls -lR, cold',
  unit: '/s',
  count: files,
  command: dir => ['ls', '-lR', dir],
  isCold: true,
  check(text) {
    const found = text.match(/^-rw/gm)?.length ?? 0
    const folders = Math.ceil(files / PER_DIRECTORY)
    if (found !== files) throw new Error(`ls -lR: ${found} files of ${files} in ${folders} directories`)
  },
})
