/** The figures of docs/, each drawn once: blue is what files hold, green metadata, amber the log, grey memory. */
import { Drawing } from './drawing.mjs'

/** Boxes beside each other with a common border: [cells, kind, lines...] from the left. */
function row(drawing, x, y, height, boxes) {
  let at = x
  for (const [width, kind, ...lines] of boxes) {
    drawing.box(at, y, width, height, kind, ...lines)
    at += width - 1
  }
}

function volume() {
  const d = new Drawing('The parts of a volume, the regions of a metadata copy, a page', 98, 19)
  d.text(0, 0, 'block 0')
  d.text(87, 0, 'last block')
  row(d, 0, 1, 5, [
    [9, 'meta', 'super-', 'blocks'],
    [16, 'log', 'log:', 'checkpoint', 'blocks, ring'],
    [11, 'meta', 'metadata', 'copy A'],
    [24, 'data', 'window:', 'data and META blocks'],
    [12, 'data', 'overwrite', 'area'],
    [11, 'meta', 'metadata', 'copy B'],
    [13, 'log', 'checkpoint', 'blocks'],
    [9, 'meta', 'super-', 'blocks'],
  ])
  d.arrow([29, 6], [29, 8])
  d.text(32, 7, 'a copy: nine regions of pages at fixed addresses')
  row(d, 0, 9, 5, [
    [11, 'meta', 'INIT', 'pages', 'written'],
    [10, 'meta', 'FREE', 'blocks', 'in use'],
    [9, 'meta', 'UNIT', 'units', 'in use'],
    [17, 'meta', 'DESCRIPTOR', 'of each block:', 'owner, CRC'],
    [11, 'meta', 'CORTEX', 'slots of', 'anchors'],
    [12, 'meta', 'STASH', 'slots that', 'overflow'],
    [13, 'meta', 'EXTENSION', 'segments,', 'xattrs'],
    [9, 'meta', 'KEY', 'unused'],
    [9, 'meta', 'SCRUB', 'unused'],
  ])
  d.arrow([52, 14], [52, 15])
  d.text(55, 15, 'a page')
  row(d, 20, 16, 3, [
    [50, 'meta', 'payload: 4,032 bytes'],
    [28, 'meta', 'trailer: 64 bytes'],
  ])
  return d
}

function find() {
  const d = new Drawing('From an index of a file to the bytes of a block', 98, 30)
  const step = (y, height, kind, ...lines) => d.box(0, y, 36, height, kind, ...lines)
  const exit = (y, label, kind, text) => {
    d.arrow([36, y], [46, y])
    d.text(38, y - 1, label)
    d.box(47, y - 1, 51, 3, kind, text)
  }
  const down = (y, label) => {
    d.arrow([16, y], [16, y + 1])
    d.text(18, y, label)
  }
  step(0, 3, 'plain', 'index N of a file')
  down(3, '')
  step(5, 3, 'plain', 'in memory, or in the anchor?')
  exit(6, 'yes', 'plain', 'these bytes')
  down(8, 'no')
  step(10, 3, 'meta', 'does the file own a block there?')
  exit(11, 'no', 'plain', 'a hole: zeros')
  down(13, 'yes: presence says so, or the file is dense and N below its end')
  step(15, 4, 'meta', 'the equation: of the segment', "that covers N, or the anchor's")
  d.text(38, 15, 'the candidates in order: the overwrite area, if its index')
  d.text(38, 16, 'in memory has the block; k = 0, home; k = 1')
  down(19, 'each candidate in turn')
  step(21, 3, 'meta', 'live descriptor: (owner, N, copy)?')
  exit(22, 'yes', 'data', 'read the block, compare its CRC')
  down(24, 'no candidate is left')
  step(26, 3, 'meta', 'copy B of the tables says more?')
  exit(27, 'no', 'bad', 'lost: EIO, never zeros')
  d.text(0, 29, 'yes: memory takes what copy B says, and the candidates are asked once more')
  return d
}

function life() {
  const d = new Drawing(
    'The life of a data block: it is used again only when the transaction that freed it is proven',
    98,
    15,
  )
  d.box(14, 1, 10, 3, 'plain', 'free')
  d.arrow([24, 2], [34, 2])
  d.text(26, 1, 'T places')
  d.box(35, 1, 13, 3, 'data', 'allocated')
  d.arrow([48, 2], [58, 2])
  d.text(49, 1, 'T durable')
  d.box(59, 1, 10, 3, 'data', 'live')
  d.arrow([69, 2], [79, 2])
  d.text(71, 1, 'U frees')
  d.box(80, 1, 12, 3, 'plain', 'freed')
  d.arrow([86, 4], [86, 6], [19, 6], [19, 4])
  d.text(33, 7, 'U is proven: record U + 1, or a checkpoint block, is durable')
  const line = (y, head, ...cells) => {
    d.text(0, y, head)
    for (const [i, cell] of cells.entries()) d.centred([19, 41, 64, 86][i], y, cell)
  }
  line(9, 'free map bit', '0', '1', '1', '0')
  line(11, 'allocator', 'may be given', 'busy', 'busy', 'busy')
  line(13, 'a power cut', 'stays free', 'never was: free', 'stays live', 'U lost: live again')
  return d
}

function commit() {
  const d = new Drawing('A commit: who does what while transaction T ends', 98, 25)
  const lane = (y, head, x, boxes) => {
    d.text(0, y + 1, head)
    row(d, x, y, 3, boxes)
  }
  lane(0, 'operations', 15, [
    [29, 'plain', 'in T: write, create, ...'],
    [12, 'plain', 'wait'],
    [44, 'plain', 'in T + 1: write, create, ...'],
  ])
  lane(3, 'gate', 15, [
    [29, 'plain', 'open'],
    [12, 'bad', 'shut'],
    [44, 'plain', 'open'],
  ])
  lane(6, 'commit thread', 22, [
    [22, 'plain', 'place data of T'],
    [12, 'log', 'encode'],
    [27, 'plain', 'write, wait for all'],
    [10, 'plain', 'answer'],
  ])
  lane(9, 'device', 26, [[29, 'data', 'data of T']])
  row(d, 54, 9, 3, [
    [18, 'log', 'and record, META'],
    [10, 'log', 'flush'],
  ])
  lane(12, 'an fsync', 20, [[63, 'plain', 'asks, waits']])
  d.arrow([83, 13], [87, 13])
  d.text(89, 13, 'returns')
  lane(15, 'a read', 15, [[83, 'plain', 'takes no gate; a placed block comes from memory until T is durable']])
  d.arrow([15, 19], [97, 19])
  d.text(0, 19, 'time')
  d.text(15, 21, 'Later: record T + 1, or a checkpoint block, is durable. Then T is proven:')
  d.text(15, 22, '- blocks that T freed may be allocated again;')
  d.text(15, 23, '- pages of T may be written in place: copy A, flush, copy B, flush;')
  d.text(15, 24, '- then the tail moves, flush, and the ring has room again.')
  return d
}

export const FIGURES = { volume: volume(), find: find(), life: life(), commit: commit() }
