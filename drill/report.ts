import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Figures, figuresOf, requestsOf } from './availability.js'
import { type Verdict, VERDICTS } from './checker.js'
import { writePage } from './page.js'
import type { Conclusion, Run } from './run.js'
import { type TellingFigures, tellingFigures } from './telling.js'

const SHOWN = 5
/** Behind a fault. */
const CATCH_UP_MS = 5000
/** What others do in the same server must not be felt. */
const DISTURBS_NOTHING = new Set(['long_write', 'rollbacks'])

export function conclude ({ options, load, ops, applied, drained, verdicts }: Run): Conclusion {
  const violations = (Object.keys(VERDICTS) as Verdict[]).filter((name) => verdicts[name].length > 0).map((name) => `${name}: ${verdicts[name].length}`)
  if (drained.left !== '') violations.push(`not drained: ${drained.left}`)
  const during = ops.filter(({ kind, at }) => kind === 'place' && at >= load.from && at <= load.to)
  const refused = during.filter(({ status }) => status !== 202).length
  if (options.strict && refused > 0) violations.push(`strict: ${refused} placements were not answered 202`)
  if (violations.length > 0) return { verdict: 'violated', reasons: violations }
  const doubts = [
    ...(during.some(({ outcome }) => outcome === 'ok') ? [] : ['no order was accepted']),
    ...(options.wanted && !applied.some(({ failure }) => failure === '') ? ['no fault was applied'] : [])
  ]
  return doubts.length > 0 ? { verdict: 'unknown', reasons: doubts } : { verdict: 'held', reasons: [] }
}

/** Writes report.json and report.html, prints what matters. @returns whether the promise held */
export function report (run: Run, folder: string): boolean {
  const figures = figuresOf(run.ops, run.applied, run.load)
  const conclusion = conclude(run)
  const counts = Object.fromEntries(Object.entries(run.verdicts).map(([name, evidence]) => [name, evidence.length]))
  const { options, leftOut, drained, tables, verdicts, crashes, heldBack } = run
  const telling = tellingFigures(tables, run.telling, (committed) => isQuiet(run, committed))
  const whole = {
    ...conclusion,
    counts,
    evidence: Object.fromEntries(Object.entries(verdicts).filter(([, evidence]) => evidence.length > 0)),
    figures,
    telling,
    drained,
    tables: { orders: tables.orders.length, events: tables.events.length, rejected: tables.events.filter(({ outcome }) => outcome === 'rejected').length },
    recovered: recovered(run),
    crashes,
    held_back: heldBack,
    left_out: leftOut,
    options
  }
  const json = join(folder, 'report.json')
  const html = join(folder, 'report.html')
  writeFileSync(json, `${JSON.stringify(whole, null, 2)}\n`)
  writeFileSync(html, writePage({ ...run, figures, conclusion, requests: requestsOf(run.ops) }))
  print(run, figures, conclusion, whole)
  console.log(`\n${json}\n${html}`)
  return conclusion.verdict === 'held'
}

/** No fault was on, and what was behind had been caught up with. */
function isQuiet ({ applied, load }: Run, committed: number): boolean {
  return committed >= load.from && committed <= load.to && applied.every(({ kind, began, healed }) => DISTURBS_NOTHING.has(kind) || committed < began || committed > healed + CATCH_UP_MS)
}

/** Placements of which nobody knew, not even after repeating, and that are booked. */
function recovered ({ ops, tables }: Run): number {
  const answered = new Set(ops.filter(({ kind, outcome }) => kind === 'place' && outcome === 'ok').map(({ token }) => token))
  const unknown = new Set(ops.filter(({ kind, outcome, token }) => kind === 'place' && outcome === 'info' && !answered.has(token)).map(({ token }) => token))
  return tables.orders.filter(({ item_description }) => unknown.has(item_description.split(' ')[1])).length
}

function spread (ms: TellingFigures['wait_ms']): string {
  return ms === null ? 'none' : `${ms.p50} ms (p50), ${ms.p99} ms (p99), ${ms.max} ms (most)`
}

function print (run: Run, figures: Figures, { verdict, reasons }: Conclusion, { recovered, telling }: { recovered: number, telling: Partial<Record<string, TellingFigures>> }): void {
  const percent = (value: number | null) => value === null ? '-' : `${(value * 100).toFixed(2)} %`
  const after = (value: number | null) => value === null ? 'never' : `${value} s`
  console.log(`\n${figures.requests} requests: ${percent(figures.availability)} served; ${figures.orders_accepted} orders accepted; longest gap ${figures.longest_gap_s} s; answered in ${figures.latency_ms.p50} ms (p50), ${figures.latency_ms.p99} ms (p99)`)
  console.log(`${figures.by_outcome.info} without a certain answer, ${recovered} orders of theirs booked; ${figures.replayed} replayed; ${figures.unavailable_503} answered 503; ${run.heldBack} held back`)
  for (const { fault, failure, availability, gap_s: gap, heal_s: heal, first_order_s: first, back_at_rate_s: back } of figures.faults) {
    console.log(`  ${fault}: ${percent(availability)} served, longest gap ${gap} s, healed in ${heal} s, first order after ${after(first)}, back at rate after ${after(back)}${failure === '' ? '' : ` FAILED: ${failure}`}`)
  }
  for (const [answer, count] of Object.entries(figures.answers).sort(([, a], [, b]) => b - a)) console.log(`  ${String(count).padStart(7)}  ${answer}`)
  console.log(`drained in ${Math.round(run.drained.took / 100) / 10} s; ${run.tables.orders.length} rows, ${run.tables.events.length} events`)
  for (const [way, figures] of Object.entries(telling)) {
    const { events, again, wait_ms: wait, quiet_ms: quiet } = figures!
    console.log(`${way}: ${events} events told, ${again} of them again; after their commit ${spread(wait)}, with no fault on ${spread(quiet)}`)
  }
  for (const crash of run.crashes) console.log(`ATTENTION: ${crash}`)
  for (const fault of run.leftOut) console.log(`left out: ${fault.subject} ${fault.kind}`)
  console.log()
  for (const [name, what] of Object.entries(VERDICTS)) {
    const evidence = run.verdicts[name as Verdict]
    console.log(`${String(evidence.length).padStart(4)}  ${name.padEnd(14)} ${what}`)
    for (const line of evidence.slice(0, SHOWN)) console.log(`        ${line}`)
  }
  console.log(`\n${verdict.toUpperCase()}${reasons.length > 0 ? `: ${reasons.join('; ')}` : ''}`)
}
