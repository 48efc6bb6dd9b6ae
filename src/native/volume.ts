/** A volume without a mount, through the addon (native/node/src/volume.rs). */
import type { Failure } from './failure.ts'

export interface NativeEntry {
  readonly ino: number
  /** As in `st_mode`. */
  readonly mode: number
  readonly size: number
}

export interface NewAttributes {
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  /** Nanoseconds since 1970. */
  readonly mtime?: bigint
}

/** What a method gives back when it has no value. */
type Done = Failure | undefined

export interface VolumeHandle {
  lookup(parent: number, name: Buffer): NativeEntry | Failure
  create(parent: number, name: Buffer, mode: number): NativeEntry | Failure
  mkdir(parent: number, name: Buffer, mode: number): NativeEntry | Failure
  symlink(parent: number, name: Buffer, target: Buffer): NativeEntry | Failure
  write(file: number, offset: number, data: Buffer): Done
  read(file: number, offset: number, length: number): Buffer | Failure
  setAttributes(file: number, attributes: NewAttributes): Done
  /** Gives back what one lookup, create, mkdir or symlink took. */
  forget(file: number): Done
  sync(): Done
  close(): Done
}

export interface VolumeAddon {
  openVolume(image: string, readOnly: boolean): VolumeHandle | Failure
  /** Tells the host which blocks of a volume that nobody uses are free; resolves with their number. */
  trimVolume(image: string): Promise<number | Failure>
  /** Gives the file that is open as `fd` all blocks of its first `bytes` bytes. */
  allocateFile(fd: number, bytes: number): Failure | undefined
  /** Writes the superblocks anew, with another label (UTF-8) or UUID (16 bytes), under the image's exclusive lock. */
  tuneVolume(image: string, label: Buffer | undefined, uuid: Buffer | undefined): Failure | undefined
}
