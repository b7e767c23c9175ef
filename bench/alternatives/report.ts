import { spread, type Spread } from '../figures.js'
import { table } from '../text-table.js'
import type { AlternativesResult, Trial } from './comparison.js'

/** What one contestant did, over all rounds. */
export interface AlternativeLine {
  name: string
  /** Orders a second. */
  accepted: Spread
  p50_ms: Spread
  p99_ms: Spread
  /** Over bare Fastify, the mean of before and after, and over Comanda in the same round. */
  of_bare: Spread
  of_comanda: Spread
  /** Orders a second from the first request to the end of the wait: what it can keep up. */
  booked: Spread
  /** Share of what it accepted that was booked when the wait ended. */
  booked_share: Spread
}

export const HOW_ALTERNATIVES = [
  'alternatives: no authentication, no idempotency, no timeline of events and no views, all of which Comanda does in these figures',
  'durable alike: Postgres with fsync, quorum queues with confirms, for BullMQ a Redis of its own with appendfsync always',
  'each with its worker running in a process of its own (fastify-insert has none; with --accept-only nobody has); bare Fastify right before and right after each'
]

export function summarizeAlternatives ({ rounds }: AlternativesResult): AlternativeLine[] {
  return rounds[0]!.map(({ name }, index) => {
    const each = (read: (trial: Trial, comanda: Trial) => number) => spread(rounds.map((trials) => read(trials[index]!, trials[0]!)))
    return {
      name,
      accepted: each(({ own }) => own.rate),
      p50_ms: each(({ own }) => own.latency_ms.p50),
      p99_ms: each(({ own }) => own.latency_ms.p99),
      of_bare: each(({ own, bare: [before, after] }) => 2 * own.rate / (before.rate + after.rate)),
      of_comanda: each(({ own }, comanda) => own.rate / comanda.own.rate),
      booked: each(({ own, booked, behind_s: behind }) => booked / (own.seconds + behind)),
      booked_share: each(({ own, booked }) => booked / own.accepted)
    }
  })
}

export function printAlternatives (lines: readonly AlternativeLine[]): void {
  const shown = ({ min, median, max }: Spread, digits: number) => [min, median, max].map((value) => value.toFixed(digits)).join(' ')
  table(['min median max', 'accepted/s', 'of bare', 'of comanda', 'p50, ms', 'p99, ms', 'booked/s', 'share booked', ''], lines.map((line) => [
    line.name,
    shown(line.accepted, 0),
    shown(line.of_bare, 3),
    shown(line.of_comanda, 2),
    shown(line.p50_ms, 0),
    shown(line.p99_ms, 0),
    shown(line.booked, 0),
    shown(line.booked_share, 2),
    ''
  ]))
}
