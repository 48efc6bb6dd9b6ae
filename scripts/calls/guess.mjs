// Method calls whose receiver is not known.

/** Methods of the standard library: nothing is guessed from these names. */
const COMMON = new Set(
  (
    'new len is_empty get get_mut insert remove push pop clear iter next contains take replace lock read write wait store load swap drop min max map find first last add sub ' +
    'from into clone cmp eq fmt hash finish flush extend retain drain join split end start entry keys values count sum position run send recv index range set name open close ' +
    'encode decode add_u64 default as_bytes bytes lines starts_with ends_with append sort truncate copy all any fold filter chain rev zip get_or_insert unwrap build ' +
    'flatten exists path parse kind fill is_file is_dir with'
  ).split(' '),
)

/** The receiver is not known: the name decides where one type alone has it and the standard library none. */
export function guess(crate, module, event) {
  const all = (crate.methods.get(event.name) ?? []).filter(fn => isVisible(fn, module) && fn.isTesting !== true)
  const owners = new Set(all.map(fn => fn.owner))
  if (all.length === 0 || event.name === 'clone') return
  event.kind = owners.size === 1 && !COMMON.has(event.name) ? 'guess' : 'ambiguous'
  event.fns = all
}

const isTesting = file => /(^|\/)testing(\/|\.)/.test(file)

/** Whether `module` may name the method: it is public, or of a module around. */
function isVisible(fn, module) {
  if (isTesting(fn.file) && !isTesting(module.file)) return false
  const isOfTrait = fn.owner.kind === 'trait' || fn.impl.of !== undefined
  if (isOfTrait || fn.vis === 'pub' || fn.vis === 'pub(crate)') return true
  const home = fn.vis === 'pub(super)' ? fn.module.path.slice(0, -1) : fn.module.path
  return fn.vis.includes('::') || home.every((name, i) => module.path[i] === name)
}
