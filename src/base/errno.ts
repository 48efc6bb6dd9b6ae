/** What the system says, in words. */

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'in use',
  EEXIST: 'already there',
  EFBIG: 'file too large',
  EINVAL: 'refused as invalid',
  EIO: 'input/output error',
  EISDIR: 'is a directory',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'name too long',
  ENODEV: 'no such device',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on device',
  ENOTCONN: 'the mount is dead (its daemon has ended)',
  ENOTDIR: 'not a directory',
  ENXIO: 'no such device or address',
  EPERM: 'not permitted',
  EROFS: 'read-only filesystem',
}

/** Words for the name of an errno (`EBUSY`); the name itself if there are none. */
export const errnoWords = (name: string): string => WORDS[name] ?? name
