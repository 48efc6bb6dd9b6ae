import { join } from 'node:path'
import t, { type Test } from 'tap'
import { fsck } from '../../fsck-scrub/command.ts'
import { scrubCommand } from '../../fsck-scrub/scrub-command.ts'
import { decodeCheckpoint, encodeCheckpoint } from '../../src/format/checkpoint.ts'
import { flag } from '../../src/format/constants.ts'
import { type DescriptorFields, descriptorPage, readDescriptor, writeDescriptor } from '../../src/format/descriptor.ts'
import { checkpointPlaces, copyPages, superblockPlaces } from '../../src/format/geometry.ts'
import { changeBits } from '../../src/format/page.ts'
import { runCommand } from '../support/cli.ts'
import { editPage, pageBlocks, rewritePage } from '../support/edit.ts'
import { type Sample, sample } from '../support/sample.ts'

interface Result {
  readonly exit: number
  readonly clean: boolean
  readonly findings: {
    code: string
    severity: string
    path?: string
    byte_from?: string
    byte_to?: string
    message: string
  }[]
  readonly damaged_files: string[]
  readonly text: string
}

async function check(t: Test, made: Sample, command: typeof fsck, words: string[] = []): Promise<Result> {
  const image = join(t.testdir({}), 'disk.img')
  made.builder.image.save(image)
  const ran = await runCommand(command.name === 'fsck' ? 'fsck.hn4' : 'hn4 scrub', command, ['--json', ...words, image])
  if (ran.stdout === '') return { exit: ran.exit, clean: false, findings: [], damaged_files: [], text: ran.stderr }
  return { ...JSON.parse(ran.stdout), text: ran.stderr }
}

const codes = (result: Result): string[] => [...new Set(result.findings.map(f => f.code))].sort()

t.test('a volume without damage is clean, from its log too', async t => {
  for (const form of ['log', 'in place'] as const) {
    for (const command of [fsck, scrubCommand]) {
      const result = await check(t, sample(form, 2, 0xcc), command)
      t.strictSame(result.findings, [])
      t.equal(result.exit, 0, result.text)
    }
  }
  t.equal((await check(t, sample('in place', 1), scrubCommand)).exit, 0)
})

t.test('three flipped bytes: scrub names exactly those three files, and their bytes', async t => {
  const made = sample('in place')
  const volume = made.builder.open()
  const places = [
    ['/dir/plain', 10],
    ['/dir/scattered', 3],
    ['/deep-holes', 6],
  ] as const
  for (const [path, index] of places)
    made.builder.image.flip(volume.blocks(volume.lookup(path)).find(index)!.block, 999)
  const result = await check(t, made, scrubCommand)
  t.equal(result.exit, 4)
  t.strictSame(result.damaged_files.sort(), places.map(([path]) => path).sort())
  for (const [path, index] of places) {
    const finding = result.findings.find(f => f.path === path)
    t.equal(finding?.byte_from, String(index * 4096))
    t.equal(finding?.byte_to, String(Math.min((index + 1) * 4096, made.contents.get(path)!.length)))
  }
  t.equal((await check(t, made, fsck)).exit, 0, 'fsck looks at structure, not at the bytes of files')
  const part = await check(t, made, scrubCommand, ['--path', '/dir'])
  t.strictSame(part.damaged_files.sort(), ['/dir/plain', '/dir/scattered'])
  t.equal((await check(t, made, scrubCommand, ['--path', '/many'])).exit, 0)
})

t.test('a checkpoint block torn by a power cut is a warning, a damaged one an error', async t => {
  const { builder } = sample('log')
  const [head, tail] = checkpointPlaces(builder.geometry, Number(builder.open().core.log.checkpoint.generation % 2n))
  const whole = builder.image.block(tail!).slice()
  const severity = async (change: (block: Uint8Array) => void): Promise<readonly string[]> => {
    const block = whole.slice()
    change(block)
    builder.image.write(tail!, block)
    const { findings, exit } = await check(t, { builder } as Sample, fsck)
    t.equal(exit, findings.some(f => f.severity === 'error') ? 4 : 0)
    return findings.map(f => f.severity)
  }
  t.not(head, tail)
  t.strictSame(await severity(block => block.fill(0x5a, 4092)), ['warning'], 'the CRC of the block before')
  t.strictSame(await severity(block => (block[0x08] = block[0x08]! - 2)), ['warning'], 'fields of the block before')
  t.strictSame(await severity(block => (block[0x40] = block[0x40]! ^ 1)), ['error'], 'fields of no block')
  t.strictSame(await severity(block => (block[2000] = 1)), ['error'], 'bytes between that are always zero')
  t.strictSame(await severity(block => block.fill(0)), ['error'], 'zeros in a slot that was written')
  t.strictSame(await severity(() => {}), [])
})

t.test('any flipped bit of any metadata page, superblock or checkpoint is found', async t => {
  const made = sample('in place')
  const { image, geometry: g } = made.builder
  const pages = image.written.filter(block => block >= g.copyA && block < g.copyA + copyPages(g))
  const heads = [...superblockPlaces(g.blockCount), ...checkpointPlaces(g, 0), ...checkpointPlaces(g, 1)]
  const all = [...pages, ...pages.map(block => block - g.copyA + g.copyB), ...heads]
  let bit = 13
  for (const block of all.filter((_, i) => i % 4 === 0)) {
    bit = (bit * 7919 + 11) % (4096 * 8)
    image.flip(block, bit)
    const result = await check(t, made, fsck)
    image.flip(block, bit)
    if (result.exit !== 4 || result.findings.length !== 1)
      t.fail(`block ${block} bit ${bit}: exit ${result.exit}, ${JSON.stringify(result.findings)}`)
  }
  t.equal((await check(t, made, fsck)).exit, 0)
})

t.test('a cortex page lost in both copies: the files that stood there are named', async t => {
  const made = sample('in place')
  const { place } = made.builder.open().lookup('/late')
  for (const block of pageBlocks(made.builder, 'CORTEX', place.page)) made.builder.image.zero(block)
  const result = await check(t, made, scrubCommand)
  t.equal(result.exit, 4)
  t.ok(result.findings.some(f => f.code === 'page'))
  t.ok(result.damaged_files.includes('/late'), JSON.stringify(result.damaged_files))
})

type Damage = readonly [title: string, damage: (made: Sample) => void, fsckCodes: readonly string[], path?: string]

function descriptorOf(made: Sample, path: string, index: number): { data: number; page: number } {
  const volume = made.builder.open()
  const { data } = volume.blocks(volume.lookup(path)).find(index)!
  return { data, page: descriptorPage(made.builder.geometry, data) }
}

/** Changes fields of the descriptor of a block of a file. */
function editDescriptor(made: Sample, path: string, index: number, change: Partial<DescriptorFields>): void {
  const { data, page } = descriptorOf(made, path, index)
  const { geometry: g } = made.builder
  editPage(made.builder, 'DESCRIPTOR', page, payload =>
    writeDescriptor(g, payload, data, { ...readDescriptor(g, payload, data), ...change }),
  )
}

const DAMAGES: readonly Damage[] = [
  [
    'a stale page in one copy',
    ({ builder }) => {
      const [, copyB] = pageBlocks(builder, 'FREE', 0)
      rewritePage(builder, copyB!, ({ payload, txn }) => {
        changeBits(payload, 0, 1, false)
        return { payload, txn: txn - 1n }
      })
    },
    ['page_stale'],
  ],
  [
    'a block that is free in the map, but a file needs it',
    made => {
      const { data } = descriptorOf(made, '/dir/plain', 2)
      editPage(made.builder, 'FREE', 0, payload => changeBits(payload, data, data + 1, false))
    },
    ['block_lost', 'counter'],
    '/dir/plain',
  ],
  [
    'a block in use that nobody owns',
    made => editPage(made.builder, 'FREE', 0, payload => changeBits(payload, 2000, 2001, true)),
    ['counter', 'descriptor'],
  ],
  [
    'bits behind the end of the free map',
    made => editPage(made.builder, 'FREE', 0, payload => changeBits(payload, 32000, 32001, true)),
    ['free_map'],
  ],
  [
    'a descriptor that names another block of its file',
    made => {
      editDescriptor(made, '/dir/plain', 2, { index: 5 })
    },
    ['block_lost', 'block_twice'],
    '/dir/plain',
  ],
  [
    'a descriptor of a file that does not exist',
    made => {
      editDescriptor(made, '/small', 0, { owner: 99999n })
    },
    ['block_lost', 'block_owner'],
    '/small',
  ],
  [
    'a wrong number of links',
    ({ builder, numbers }) => {
      builder.change(numbers.get('/small')!, {}, { nlink: 5 })
      builder.commit()
      builder.writeInPlace()
    },
    ['links'],
    '/small',
  ],
  [
    'a directory that says it has another parent',
    ({ builder, numbers }) => {
      builder.change(
        numbers.get('/dir')!,
        {},
        { parent_number: BigInt(numbers.get('/many/file number 1 with a name of some length')!) },
      )
      builder.commit()
      builder.writeInPlace()
    },
    ['entry'],
  ],
  [
    'an anchor in a page that is not its own, besides the right one',
    ({ builder, numbers }) => {
      const { place, buckets, slot } = builder.open().lookup('/inline')
      const wrong = [0, 1, 2].find(page => page !== buckets.first && page !== buckets.second)!
      builder.item({
        kind: 'SLOT',
        region: 'CORTEX',
        page: wrong as typeof place.page,
        slot: 20 as typeof place.slot,
        bytes: slot.bytes.slice(),
      })
      builder.change(numbers.get('/small')!, {})
      builder.commit()
      builder.writeInPlace()
    },
    ['cortex_place', 'cortex_twice'],
  ],
  [
    'a file with an unfinished truncation that is not among the orphans',
    ({ builder, numbers }) => {
      const { slot } = builder.open().lookup('/small')
      const truncating = BigInt(flag('DATA_CLASS', 'TRUNCATING'))
      builder.change(numbers.get('/small')!, { data_class: slot.anchor.data_class | truncating })
      builder.commit()
      builder.writeInPlace()
    },
    ['orphan'],
    '/small',
  ],
  [
    'an anchor whose state no rule allows',
    ({ builder, numbers }) => {
      builder.change(numbers.get('/small')!, { tag_filter: 1n })
      builder.commit()
      builder.writeInPlace()
    },
    ['anchor', 'entry'],
    '/small',
  ],
  [
    'an extension unit that no chain holds',
    made => editPage(made.builder, 'UNIT', 0, payload => changeBits(payload, 100, 101, true)),
    ['unit_lost'],
  ],
  [
    'an extension record with a flipped bit and a right checksum',
    made =>
      editPage(made.builder, 'EXTENSION', 0, payload => {
        payload[256 + 50]! ^= 1
      }),
    ['counter', 'extension'],
  ],
  [
    'a wrong counter',
    ({ builder }) => {
      const place = checkpointPlaces(builder.geometry, 0)
      for (const slot of [0, 1]) {
        for (const block of checkpointPlaces(builder.geometry, slot)) {
          const fields = decodeCheckpoint(builder.image.block(block))
          builder.image.write(block, encodeCheckpoint({ ...fields, live_blocks: 7n, files: 8n, units: 9n }))
        }
      }
      if (place.length !== 2) throw new Error('two places')
    },
    ['counter'],
  ],
  [
    'a file without a name',
    ({ builder, numbers }) => {
      // The directory forgets the entry: its block is laid out anew from the names that are left.
      builder.forget(1, 'inline')
      builder.change(numbers.get('/small')!, {})
      builder.commit()
      builder.writeInPlace()
    },
    ['unreached'],
  ],
]

for (const [title, damage, expected, path] of DAMAGES) {
  t.test(`fsck finds: ${title}`, async t => {
    const made = sample('in place')
    damage(made)
    const result = await check(t, made, fsck)
    t.strictSame(codes(result), [...expected], JSON.stringify(result.findings.map(f => f.message)))
    t.equal(result.exit, 4)
    if (path !== undefined) t.ok(result.damaged_files.includes(path), JSON.stringify(result.damaged_files))
  })
}

t.test('what is no volume or is asked wrongly is one line and the right exit code', async t => {
  const folder = t.testdir({ 'text.img': 'x'.repeat(20000), 'empty.img': '' })
  for (const command of [fsck, scrubCommand]) {
    const tool = command.name
    for (const [file, exit] of [
      ['text.img', 8],
      ['empty.img', 8],
      ['absent.img', 8],
      ['.', 8],
    ] as const) {
      const ran = await runCommand(tool, command, [join(folder, file)])
      t.equal(ran.exit, exit, `${tool} ${file}: ${ran.stderr}`)
      t.match(ran.stderr, /^[^\n]+\n$/)
    }
  }
  t.equal((await runCommand('fsck.hn4', fsck, ['-n', '-y', 'x.img'])).exit, 16)
  t.equal((await runCommand('fsck.hn4', fsck, ['-p', join(folder, 'text.img')])).exit, 8)
  t.match((await runCommand('fsck.hn4', fsck, ['-z', 'undo', join(folder, 'text.img')])).stderr, /does not repair/)
})
