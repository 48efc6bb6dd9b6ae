// Types of the standard library and parking_lot that hold others, and what their methods give.

const LOCKS = new Set(['Mutex', 'RwLock', 'RefCell', 'ReentrantMutex'])
export const POINTERS = new Set([
  'Arc',
  'Rc',
  'Box',
  'Weak',
  'Cow',
  'MutexGuard',
  'RwLockReadGuard',
  'RwLockWriteGuard',
  'Ref',
  'RefMut',
  'ManuallyDrop',
  'OnceLock',
  'CachePadded',
])
const LISTS = new Set([
  'Vec',
  'Range',
  'VecDeque',
  'BTreeSet',
  'HashSet',
  'Iterator',
  'DoubleEndedIterator',
  'IntoIterator',
  'ExactSizeIterator',
  'BinaryHeap',
  'LinkedList',
])
export const MAPS = new Set(['BTreeMap', 'HashMap'])
const INNER = new Set([
  'unwrap',
  'expect',
  'unwrap_or',
  'unwrap_or_else',
  'unwrap_or_default',
  'or_insert_with',
  'or_default',
  'or_insert',
  'get_or_insert_with',
  'get_or_init',
])
const SAME = new Set(
  [
    'as_ref as_mut as_deref as_deref_mut take cloned copied ok ok_or ok_or_else filter inspect inspect_err map_err or or_else replace clone',
    'iter iter_mut into_iter drain rev skip step_by chain peekable collect to_vec skip_while take_while by_ref to_owned as_slice as_mut_slice borrow borrow_mut upgrade downgrade',
    'entry split_off with_context',
  ]
    .join(' ')
    .split(' '),
)
const ONE = new Set(
  'first last get get_mut pop pop_front pop_back next find max_by_key min_by_key nth first_mut last_mut peek remove iter_max max min front back last_key_value'.split(
    ' ',
  ),
)
const MANY = new Set('values values_mut into_values windows chunks'.split(' '))

export const ext = (name, ...args) => ({ ext: name, args })

/** Methods of the standard library and parking_lot that pass a type on. */
export function foreign(t, name, args) {
  if (t.ext === undefined) return undefined
  const [inner, value] = t.args
  const wrap = name.startsWith('try_') ? type => ({ type: ext('Option', type) }) : type => ({ type })
  if (
    LOCKS.has(t.ext) &&
    /^(try_)?(lock|read|write|borrow|borrow_mut|get_mut|into_inner|upgradable_read)(_for)?$/.test(name)
  )
    return wrap(inner)
  if (t.ext === 'Option' || t.ext === 'Result') {
    if (INNER.has(name)) return { type: inner ?? args[0]?.ret }
    if (name === 'map' && args[0] !== undefined) return { type: { ...t, args: [args[0].ret ?? undefined, t.args[1]] } }
    if (/^(and_then|map_or|map_or_else|is_some_and|zip)$/.test(name)) return { type: args.at(-1)?.ret }
    if (name === 'ok') return { type: ext('Option', inner) }
    if (SAME.has(name)) return { type: t }
  }
  if (MAPS.has(t.ext)) {
    if (name === 'entry') return { type: ext('Option', value) }
    if (/^(get|get_mut|remove|insert)$/.test(name)) return { type: ext('Option', value) }
    if (MANY.has(name)) return { type: ext('Vec', value) }
    if (name === 'keys') return { type: ext('Vec', inner) }
    if (/^(iter|iter_mut|into_iter|drain|range|range_mut)$/.test(name))
      return { type: ext('Vec', { tuple: [inner, value] }) }
    if (/^(first|last)_key_value$|^pop_(first|last)$/.test(name))
      return { type: ext('Option', { tuple: [inner, value] }) }
  }
  if (LISTS.has(t.ext)) {
    if (name === 'map' || name === 'flat_map' || name === 'filter_map') {
      const ret = args[0]?.ret
      return { type: ext('Vec', name === 'map' ? ret : ret?.args?.[0]) }
    }
    if (/^split_(at|at_mut|first|last)$|^partition$/.test(name)) return { type: { tuple: [t, t] } }
    if (name === 'enumerate') return { type: ext('Vec', { tuple: [undefined, inner] }) }
    if (name === 'zip') return { type: ext('Vec', { tuple: [inner, args[0]?.args?.[0]] }) }
    if (ONE.has(name)) return { type: ext('Option', inner) }
    if (SAME.has(name) || name === 'filter' || name === 'range' || name === 'take' || MANY.has(name)) return { type: t }
  }
  return undefined
}
