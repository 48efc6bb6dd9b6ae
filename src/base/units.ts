/**
 * Numbers that must not be mixed: each is a plain number at run time and a type of its own to the
 * compiler. A block is 4096 bytes; all counts below 2^53.
 */

type Unit<Name extends string> = number & { readonly unit: Name }

/** Byte position on the device. */
export type ByteOffset = Unit<'byte'>
/** Block of the volume: byte offset / 4096. */
export type BlockNumber = Unit<'block'>
/** Data block: block number - window_start. */
export type DataNumber = Unit<'data'>
/** Page inside its region of a metadata copy. */
export type PageNumber = Unit<'page'>
/** Page counted from the first page of the copy. */
export type CopyPage = Unit<'copy page'>
/** Slot of a cortex or stash page: 0 to 20. */
export type SlotIndex = Unit<'slot'>

export const byteOffset = (n: number): ByteOffset => n as ByteOffset
export const blockNumber = (n: number): BlockNumber => n as BlockNumber
export const dataNumber = (n: number): DataNumber => n as DataNumber
export const pageNumber = (n: number): PageNumber => n as PageNumber
export const copyPage = (n: number): CopyPage => n as CopyPage
export const slotIndex = (n: number): SlotIndex => n as SlotIndex
