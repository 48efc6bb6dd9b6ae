// Other daemons: filesystems on an image (fuse2fs, ntfs-3g) and over a folder of the disk (gocryptfs, bindfs, CryFS, EncFS).
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { daemon, mounted, must, until } from '../shell.mjs'
import { Target } from './target.mjs'

/** A daemon that runs in front. */
class Peer extends Target {
  /** Seconds that its mount may take. */
  patience = 20
  pids() {
    return this.child === undefined ? [] : [this.child.pid]
  }
  async start(program, args, input) {
    this.child = daemon(program, args, input)
    await until(() => mounted(this.dir) !== undefined, this.name, this.patience)
  }
  async unmount() {
    const { child } = this
    const ended = child === undefined || new Promise(resolve => child.once('exit', resolve))
    try {
      await super.unmount()
    } catch (error) {
      child?.kill('SIGKILL')
      throw error
    }
    if (child?.exitCode === null) await ended
    this.child = undefined
  }
}

export class Fuse2fs extends Peer {
  programs = ['fuse2fs', 'mkfs.ext4']
  get hasImage() {
    return true
  }
  async make() {
    await super.make()
    this.path = this.image()
    must('mkfs.ext4', '-q', '-F', this.path)
  }
  async mount() {
    await this.start('fuse2fs', [this.path, this.dir, '-f', '-o', 'rw,allow_other,fakeroot'])
  }
}

export class Ntfs3g extends Peer {
  programs = ['ntfs-3g', 'mkfs.ntfs']
  get hasImage() {
    return true
  }
  async make() {
    await super.make()
    this.path = this.image()
    must('mkfs.ntfs', '-q', '-F', '-f', this.path)
  }
  async mount() {
    await this.start('ntfs-3g', [this.path, this.dir, '-o', 'no_detach,big_writes'])
  }
}

/** Over a folder: what is below is the host's filesystem. */
class Folder extends Peer {
  async make() {
    await super.make()
    this.below = join(this.folder, 'below')
    mkdirSync(this.below)
    this.secret = join(this.folder, 'secret')
    writeFileSync(this.secret, 'a benchmark has no secrets\n')
  }
}

export class Gocryptfs extends Folder {
  programs = ['gocryptfs']
  async make() {
    await super.make()
    must('gocryptfs', '-q', '-init', '-scryptn', '10', '-passfile', this.secret, this.below)
  }
  async mount() {
    await this.start('gocryptfs', ['-q', '-fg', '-passfile', this.secret, this.below, this.dir])
  }
}

export class Bindfs extends Folder {
  programs = ['bindfs']
  async mount() {
    await this.start('bindfs', ['-f', this.below, this.dir])
  }
}

export class Encfs extends Folder {
  programs = ['encfs']
  async mount() {
    await this.start('encfs', ['-f', '--standard', `--extpass=cat ${this.secret}`, this.below, this.dir])
  }
}

export class Cryfs extends Folder {
  programs = ['cryfs']
  /** It derives its key anew at each mount. */
  patience = 120
  isSlow = true
  async mount() {
    process.env.CRYFS_FRONTEND = 'noninteractive'
    process.env.CRYFS_NO_UPDATE_CHECK = 'true'
    // Where its input is no terminal, it reads the passphrase from there.
    await this.start('cryfs', ['-f', '--blocksize', '16384', this.below, this.dir], 'a benchmark has no secrets\n')
  }
}
