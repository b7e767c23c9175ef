import { randomUUID } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import { logLine } from '../logs/log-line.js'
import type { OrderEvent } from '../orders/event.js'
import { type ParkedEvent, parkedId } from '../store/parked-events.js'
import { traced } from '../tracing/traceparent.js'
import type { Applied } from './batch.js'
import type { BatchLine, Follower } from './commits.js'

/** The log as a follower of what is committed. */
export function loggingFollower (log: FastifyBaseLogger): Follower {
  return {
    onCommitted (applied, line, ms) {
      if (line === null) logParked(log, applied.parked ?? [])
      else logBatch(log, applied, line, ms)
    }
  }
}

/** Two ids an event, so that no line is longer than the 16 KiB that Docker keeps in one piece. */
const EVENTS_A_LINE = 128

/**
 * One line a commit: it names its orders and the requests that asked, in the same order, further lines those beyond its measure.
 * (Measured: 0.4 ms for 1000 events, of a batch that takes 20 ms or more.) One line more for each event that was not applied.
 */
function logBatch (log: FastifyBaseLogger, { decisions, duplicates, parked = [] }: Applied, line: BatchLine, ms: number): void {
  const applied = decisions.filter(({ outcome }) => outcome === 'applied')
  const waiting = decisions.filter(({ outcome }) => outcome === 'waiting').length
  const batch_id = randomUUID()
  logLine(log, {
    event: 'batch_booked',
    batch_id,
    ...line,
    duration_ms: Math.round(ms * 1000) / 1000,
    ...{ applied: applied.length, waiting, rejected: decisions.length - applied.length - waiting, duplicates },
    ...namesOf(applied, 0)
  })
  for (let from = EVENTS_A_LINE; from < applied.length; from += EVENTS_A_LINE) logLine(log, { event: 'batch_continued', batch_id, ...namesOf(applied, from) })
  for (const decision of decisions) {
    const { event, outcome } = decision
    if (outcome === 'applied') continue
    logLine(log, { event: 'order_event_not_applied', batch_id, ...idsOf(event), outcome, reason: outcome === 'rejected' ? decision.reason : 'its base is not known yet' })
  }
  logParked(log, parked)
}

/** One line each: an operator decides what becomes of it. */
function logParked (log: FastifyBaseLogger, parked: readonly ParkedEvent[]): void {
  for (const { source, reason, attempts, raw, event, cause } of parked) {
    logLine(log, { event: 'event_parked', parked_id: parkedId(raw), source, reason, attempt: attempts, bytes: raw.length, ...(event ? idsOf(event) : {}), ...(cause === undefined ? {} : { err: cause }) })
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
