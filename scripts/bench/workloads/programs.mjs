// What people run: a source tree made from its archive, and transactions of SQLite.

/** Seconds, so less is better. The tree's contents are compared by tar, diff and grep. */
export function programs() {
  const row = (name, command, options = {}) => ({ name, unit: 's', command, ...options })
  return {
    group: 'programs',
    rows: [
      row('untar', (dir, tree) => ['tar', '-xf', tree.tar, '-C', dir]),
      row('tar --compare', (dir, tree) => ['tar', '-df', tree.tar, '-C', dir], { isCold: true }),
      row('cp -a', dir => ['cp', '-a', `${dir}/tree`, `${dir}/copy`]),
      row('diff -r', dir => ['diff', '-r', `${dir}/tree`, `${dir}/copy`], { isCold: true }),
      row('grep -r', (dir, tree) => ['grep', '-rch', tree.word, `${dir}/copy`], {
        isCold: true,
        check(text, tree) {
          const found = text.split('\n').reduce((sum, line) => sum + Number(line), 0)
          if (found !== tree.lines) throw new Error(`grep -r: ${found} lines of ${tree.lines}`)
        },
      }),
      row('git init', dir => ['git', '-C', `${dir}/tree`, 'init', '-q'], { isHidden: true }),
      row('git add', dir => ['git', '-C', `${dir}/tree`, 'add', '-A']),
      row('git status', dir => ['git', '-C', `${dir}/tree`, 'status', '--porcelain', '-uno'], {
        isCold: true,
        check(text, tree) {
          const added = text.match(/^A {2}/gm)?.length ?? 0
          if (added !== tree.files) throw new Error(`git status: ${added} files of ${tree.files} as they were added`)
        },
      }),
      row('git fsck', dir => ['git', '-C', `${dir}/tree`, 'fsck', '--no-progress', '--no-dangling'], {
        isHidden: true,
      }),
      row('rm -rf', dir => ['rm', '-rf', `${dir}/copy`]),
    ],
  }
}

/** Transactions of one row each, then all read back. */
export function sqlite(journal, transactions) {
  const name = `SQLite, ${journal === 'DELETE' ? 'rollback' : journal}`
  const command = dir => ['sqlite3', '-batch', `${dir}/data.db`]
  return {
    group: name,
    rows: [
      {
        name,
        unit: 'tx/s',
        count: transactions,
        command,
        input: [
          `PRAGMA journal_mode=${journal}; PRAGMA synchronous=FULL; CREATE TABLE t(i INTEGER PRIMARY KEY, v BLOB);`,
          ...Array.from({ length: transactions }, (_, i) => `INSERT INTO t VALUES(${i}, randomblob(200));`),
        ].join('\n'),
      },
      {
        name: `${name}, read back`,
        unit: 's',
        command,
        input: 'SELECT count(*), sum(i), sum(length(v)) FROM t; PRAGMA integrity_check;',
        isCold: true,
        isHidden: true,
        check(text) {
          const wanted = `${transactions}|${(transactions * (transactions - 1)) / 2}|${transactions * 200}\nok`
          if (text.trim() !== wanted) throw new Error(`SQLite has ${text.trim()}, not ${wanted}`)
        },
      },
    ],
  }
}
