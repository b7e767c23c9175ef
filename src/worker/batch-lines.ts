import { randomUUID } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import type { OrderEvent } from '../orders/event.js'
import { traced } from '../orders/trace.js'
import { type ParkedEvent, parkedId } from '../store/parked-events.js'
import type { Applied } from './batch.js'

/** What a batch's line says beside what it came to. */
export interface BatchLine {
  source: 'queue' | 'outbox' | 'waiting'
  batch_size?: number
  /** Of rows that are tried again. */
  attempt?: number
}

/** Two ids an event, so that no line is longer than the 16 KiB that Docker keeps in one piece. */
const EVENTS_A_LINE = 128

/**
 * One line a batch: it names its orders and the requests that asked, in the same order, further lines those beyond its measure.
 * (Measured: 0.4 ms for 1000 events, of a batch that takes 20 ms or more.) One line more for each event that was not applied.
 */
export function tellBatch (log: FastifyBaseLogger, { decisions, duplicates, parked = [] }: Applied, line: BatchLine, ms: number): void {
  const applied = decisions.filter(({ outcome }) => outcome === 'applied')
  const waiting = decisions.filter(({ outcome }) => outcome === 'waiting').length
  const batch_id = randomUUID()
  log.info({
    batch_id,
    ...line,
    duration_ms: Math.round(ms * 1000) / 1000,
    ...{ applied: applied.length, waiting, rejected: decisions.length - applied.length - waiting, duplicates },
    ...namesOf(applied, 0)
  }, 'batch booked')
  for (let from = EVENTS_A_LINE; from < applied.length; from += EVENTS_A_LINE) log.info({ batch_id, ...namesOf(applied, from) }, 'batch continued')
  for (const decision of decisions) {
    const { event, outcome } = decision
    if (outcome === 'applied') continue
    log.info({ batch_id, ...idsOf(event), outcome, reason: outcome === 'rejected' ? decision.reason : 'its base is not known yet' }, 'order event not applied')
  }
  tellParked(log, parked)
}

/** One line each: it is for somebody to decide what becomes of it. */
export function tellParked (log: FastifyBaseLogger, parked: readonly ParkedEvent[]): void {
  for (const { source, reason, attempts, raw, event, cause } of parked) {
    log.error({ parked_id: parkedId(raw), source, reason, attempt: attempts, bytes: raw.length, ...(event ? idsOf(event) : {}), ...(cause === undefined ? {} : { err: cause }) },
      'an event was parked: it can never be applied as it is; `comanda parked show` and the parked_id tell more, `comanda parked replay` has it tried again')
  }
}

/** What a line about a single event names. */
export function idsOf ({ order, event_id, request_id, traceparent }: OrderEvent): { order_id: string, event_id: string, request_id: string, user_id: number, trace_id?: string } {
  return { order_id: order.order_id, event_id, request_id, user_id: order.user_id, ...traced(traceparent) }
}

function namesOf (applied: ReadonlyArray<{ event: OrderEvent }>, from: number): { order_ids: string[], request_ids: string[] } {
  const named = applied.slice(from, from + EVENTS_A_LINE)
  return { order_ids: named.map(({ event }) => event.order.order_id), request_ids: named.map(({ event }) => event.request_id) }
}
