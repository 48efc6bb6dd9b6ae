// What is measured: rows of a group run one after another on one fresh filesystem, each on what those before it left.

/** Operations on names by so many processes. Files of all processes together. */
function names(processes, files) {
  const all = ['--count', files, '--processes', processes]
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
      row('unlink', all),
      row('mkdir', ['--count', Math.ceil(files / 4), '--processes', processes]),
      row('rmdir', ['--count', Math.ceil(files / 4), '--processes', processes]),
    ],
  }
}

/** Files of so many bytes. */
function small(bytes, files, sync) {
  const all = ['--count', files, '--size', bytes]
  const kind = `${bytes} B files${sync ? ', fsync each' : ''}`
  return {
    group: kind,
    rows: [
      { name: `${kind}: written`, unit: '/s', work: ['write-small', ...all, ...(sync ? ['--sync'] : [])] },
      { name: `${kind}: read cold`, unit: '/s', work: ['read-small', ...all], isCold: true, readsDisk: true },
      { name: `${kind}: read warm`, unit: '/s', work: ['read-small', ...all] },
    ],
  }
}

function large(bytes, operations) {
  const size = ['--size', bytes]
  const count = [...size, '--count', operations]
  const few = [...size, '--count', Math.ceil(operations / 10), '--sync']
  return {
    group: 'large',
    rows: [
      { name: 'stream written + fsync', unit: 'MiB/s', work: ['write-large', ...size] },
      { name: 'stream read cold', unit: 'MiB/s', work: ['read-large', ...size], isCold: true, readsDisk: true },
      { name: 'stream read warm', unit: 'MiB/s', work: ['read-large', ...size] },
      { name: '4 KiB random read', unit: '/s', work: ['read-random', ...count], isCold: true, readsDisk: true },
      {
        name: '4 KiB random read x4',
        unit: '/s',
        work: ['read-random', ...count, '--processes', 4],
        isCold: true,
        readsDisk: true,
      },
      { name: '4 KiB overwrite, one fsync', unit: '/s', work: ['overwrite', ...count] },
      { name: '4 KiB overwrite, fsync each', unit: '/s', work: ['overwrite', ...few] },
      { name: '4 KiB append, O_DSYNC', unit: '/s', work: ['append-dsync', '--count', Math.ceil(operations / 10)] },
    ],
  }
}

/** A source tree, made from its archive; seconds, so less is better. */
function programs() {
  const row = (name, command, options = {}) => ({ name, unit: 's', command, ...options })
  return {
    group: 'programs',
    rows: [
      row('untar', (dir, tree) => ['tar', '-xf', tree.tar, '-C', dir]),
      row('tar --compare', (dir, tree) => ['tar', '-df', tree.tar, '-C', dir], { isCold: true }),
      row('cp -a', dir => ['cp', '-a', `${dir}/tree`, `${dir}/copy`]),
      row('diff -r', dir => ['diff', '-r', `${dir}/tree`, `${dir}/copy`], { isCold: true }),
      row('grep -r', dir => ['grep', '-rc', '--include=*.h', 'no line has this', `${dir}/copy`], {
        isCold: true,
        exit: 1,
      }),
      row('git init', dir => ['git', '-C', `${dir}/tree`, 'init', '-q'], { isHidden: true }),
      row('git add', dir => ['git', '-C', `${dir}/tree`, 'add', '-A']),
      row('git status', dir => ['git', '-C', `${dir}/tree`, 'status', '--porcelain', '-uno'], { isCold: true }),
      row('rm -rf', dir => ['rm', '-rf', `${dir}/copy`]),
    ],
  }
}

/** Transactions of one row each. */
function sqlite(journal, transactions) {
  return {
    group: `SQLite, ${journal}`,
    rows: [
      {
        name: `SQLite, ${journal}`,
        unit: 'tx/s',
        count: transactions,
        command: dir => ['sqlite3', '-batch', `${dir}/data.db`],
        input: [
          `PRAGMA journal_mode=${journal}; PRAGMA synchronous=FULL; CREATE TABLE t(i INTEGER PRIMARY KEY, v BLOB);`,
          ...Array.from({ length: transactions }, (_, i) => `INSERT INTO t VALUES(${i}, randomblob(200));`),
          `SELECT count(*) FROM t;`,
        ].join('\n'),
      },
    ],
  }
}

/** Groups of rows; `full`: the sizes of the figures in docs/benchmarks.md. */
export function allGroups(full) {
  const [files, mib, operations] = full ? [40_000, 2048, 50_000] : [8000, 256, 10_000]
  return [
    ...[1, 2, 4].map(processes => names(processes, files)),
    small(4096, files / 2, false),
    small(4096, files / 8, true),
    small(28, files / 4, false),
    small(29, files / 4, false),
    large(mib * 2 ** 20, operations),
    programs(),
    sqlite('DELETE', full ? 1000 : 300),
    sqlite('WAL', full ? 2000 : 600),
  ]
}
