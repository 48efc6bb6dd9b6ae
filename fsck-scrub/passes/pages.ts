/**
 * Pass: every initialised metadata page verifies in every copy, and the copies agree.
 *
 * A page that the log changes may have one torn or older copy: replay repairs it, so only a page
 * without any valid copy is damage then.
 */
import { equalBytes } from '../../src/base/bytes.ts'
import { Hn4Error } from '../../src/base/error.ts'
import { copyPage } from '../../src/base/units.ts'
import { type RegionName, regionStart } from '../../src/format/geometry.ts'
import { PAGE_PAYLOAD, REGIONS } from '../../src/format/layout.ts'
import type { Page } from '../../src/format/page.ts'
import type { PageCopy } from '../../src/reader/pages.ts'
import type { Check, Pass, Step } from '../check.ts'

async function run(check: Check, step: Step): Promise<void> {
  for (const [region] of REGIONS) {
    // A lost page of the initialised map is found when its own region is checked.
    for (const page of check.volume.core.initialisedPages(region, () => {})) {
      if (step.isDue) await step.pause()
      checkPage(check, region, page)
      step.add(1)
    }
  }
}

/** A copy that verifies. */
type GoodCopy = PageCopy & { readonly page: Page }

const isGood = (copy: PageCopy): copy is GoodCopy => copy.page !== null

function checkPage(check: Check, region: RegionName, page: number): void {
  const { geometry, pages } = check.volume.core
  const target = copyPage(regionStart(geometry, region) + page)
  const name = `${region.toLowerCase()} page ${page}`
  if (pages.isReplaced(target)) return
  const found = pages.copies.map(copy => pages.readCopy(copy, target))
  const good = found.filter(isGood)
  if (good.length === 0) {
    const cause = found.map(copy => `copy ${copy.copy}: ${copy.problem}`).join(', ')
    check.take(new Hn4Error('PAGE', { region: region.toLowerCase(), page, cause }), { block: found[0]!.block })
    if (region !== 'CORTEX' && region !== 'STASH' && region !== 'EXTENSION') check.isCountable = false
    return
  }
  if (pages.isPatched(target)) return
  for (const copy of found) {
    if (copy.problem !== null)
      check.add('PAGE_COPY', `${name}: copy ${copy.copy}: ${copy.problem}; the other copy is good`, {
        block: copy.block,
      })
  }
  if (good.length === 2) compare(check, name, good[0]!, good[1]!)
  checkRest(check, name, region, good[0]!)
}

/** Both verify: a lost write shows as an older transaction, anything else as different bytes. */
function compare(check: Check, name: string, a: GoodCopy, b: GoodCopy): void {
  const [txnA, txnB] = [a.page.txn, b.page.txn]
  if (txnA === txnB && equalBytes(a.page.payload, b.page.payload)) return
  if (txnA === txnB) check.add('PAGE_COPY', `${name}: the copies differ`, { block: a.block })
  else {
    const stale = txnA < txnB ? a : b
    check.add(
      'PAGE_STALE',
      `${name}: copy ${stale.copy} is stale (transaction ${txnA < txnB ? txnA : txnB}, the other copy has ${txnA < txnB ? txnB : txnA})`,
      { block: stale.block },
    )
  }
}

const UNITS_END = 3840

function checkRest(check: Check, name: string, region: RegionName, copy: GoodCopy): void {
  if (region !== 'EXTENSION') return
  for (let at = UNITS_END; at < PAGE_PAYLOAD; at++) {
    if (copy.page.payload[at] !== 0) {
      check.add('PAGE_CONTENT', `${name}: bytes behind the units are not zero`, { block: copy.block })
      return
    }
  }
}

export const pagesPass: Pass = { name: 'pages', unit: 'items', run }
