import { type EnvelopeError, fromEnvelope, unreadable } from '../orders/envelope.js'
import type { OrderEvent } from '../orders/event.js'
import { type Client, run } from './database.js'

/** An event as it is stored: of a newer schema no more than this is known. */
export interface StoredEvent {
  event: { event_id: string, order: { order_id: string } }
  json: string
}

/** Takes these events in one statement. One already there stays as it is: the event id is the identity. */
export async function insertFallback (client: Client, events: readonly StoredEvent[]): Promise<void> {
  await run(client, 'insert_fallback', `
    insert into fallback_queue (event_id, order_id, event) select * from unnest($1::uuid[], $2::uuid[], $3::jsonb[])
    on conflict (event_id) do nothing`, [
    events.map(({ event }) => event.event_id),
    events.map(({ event }) => event.order.order_id),
    events.map(({ json }) => json)
  ])
}

/** A row that this worker tries now; no other worker does for the length of the lease. */
export interface FallbackLease {
  fallback_id: number
  /** This attempt included, and committed: whatever the attempt does to this process, it is counted. */
  attempts: number
  event_id: string
  /** W3C Trace Context, when the event carries one. */
  traceparent: string | null
}

/**
 * Leases the oldest rows that are due. A row that was tried before without an end is leased alone: it may be what ended
 * the worker that tried it.
 *
 *   due --lease: attempts + 1, due again when it is over--> leased --applied, refused or parked--> gone
 *    ^                                                        |  \--the worker died: the lease runs out, the attempt counts--> due
 *    \--release: attempts - 1 (a transient failure, or a newer schema: due later)--/
 */
export async function leaseFallback (client: Client, limit: number, leaseMs: number): Promise<FallbackLease[]> {
  const rows = await run<FallbackLease>(client, 'lease_fallback', `
    with due as (
      select fallback_id, attempts from fallback_queue where due_at <= now() order by fallback_id limit $1 for update skip locked
    ), oldest as (select fallback_id, attempts from due order by fallback_id limit 1)
    update fallback_queue set attempts = fallback_queue.attempts + 1, due_at = now() + $2 * interval '1 ms'
    from due, oldest
    where fallback_queue.fallback_id = due.fallback_id
      and (due.fallback_id = oldest.fallback_id or (due.attempts = 0 and oldest.attempts = 0))
    returning fallback_queue.fallback_id, fallback_queue.attempts, fallback_queue.event_id, fallback_queue.event->>'traceparent' as traceparent`, [limit, leaseMs])
  return rows.sort((a, b) => a.fallback_id - b.fallback_id)
}

/** Ends leases that came to nothing through no fault of the rows: the attempt does not count. */
export async function releaseFallback (client: Client, ids: readonly number[], dueInMs = 0): Promise<void> {
  await run(client, 'release_fallback', `
    update fallback_queue set attempts = attempts - 1, due_at = now() + $2 * interval '1 ms' where fallback_id = any($1::bigint[]) and attempts > 0`, [ids, dueInMs])
}

/** One row: an event, or why it cannot be read as one. */
export interface FallbackRow {
  fallback_id: number
  attempts: number
  event: OrderEvent | EnvelopeError
  /** The row's own bytes, for the parking lot. */
  raw (): Buffer
}

/** Locks the rows of a lease. One that another worker holds, because the lease ran out, is left to it. */
export async function lockFallback (client: Client, ids: readonly number[]): Promise<FallbackRow[]> {
  const rows = await run<{ fallback_id: number, attempts: number, event: unknown }>(client, 'lock_fallback', `
    select fallback_id, attempts, event from fallback_queue where fallback_id = any($1::bigint[]) order by fallback_id for update skip locked`, [ids])
  return rows.map(({ fallback_id, attempts, event }) => ({ fallback_id, attempts, event: read(event), raw: () => Buffer.from(JSON.stringify(event)) }))
}

/** @returns how many were still there */
export async function deleteFallback (client: Client, ids: readonly number[]): Promise<number> {
  return (await run(client, 'delete_fallback', 'delete from fallback_queue where fallback_id = any($1::bigint[]) returning fallback_id', [ids])).length
}

/** How many rows there are to be worked off, counted to 1000; leased ones included, what waits for a newer worker not. */
export async function countFallback (client: Client): Promise<number> {
  const [row] = await run<{ waiting: number }>(client, 'count_fallback', `
    select count(*)::integer as waiting from (select from fallback_queue where due_at <= now() or attempts > 0 limit 1000) as counted`, [])
  return row!.waiting
}

export interface Deferred {
  events: number
  /** Since the first of them came, by the server's clock; 0 where there are none. */
  oldestMs: number
}

/** Rows that wait for a newer worker, counted to 1000. */
export async function deferredFallback (client: Client): Promise<Deferred> {
  const [row] = await run<{ events: number, oldest_ms: number }>(client, 'deferred_fallback', `
    select count(*)::integer as events, coalesce(extract(epoch from clock_timestamp() - min(taken_at)) * 1000, 0)::float8 as oldest_ms
    from (select taken_at from fallback_queue where attempts = 0 and due_at > now() order by fallback_id limit 1000) as deferred`, [])
  return { events: row!.events, oldestMs: row!.oldest_ms }
}

export interface FallbackQueueAge {
  /** The oldest, no more than asked for. */
  rows: number
  /** By the server's clock; null where there are none. */
  oldest_seconds: number | null
  /** The most that one of them has had. */
  attempts: number
  /** Those that wait for a newer worker. */
  deferred: number
}

/** How many rows wait to be worked off, and how long. @param most rows looked at, from the oldest on */
export async function fallbackQueueAge (client: Client, most = 1000): Promise<FallbackQueueAge> {
  const [row] = await run<FallbackQueueAge>(client, 'fallback_queue_age', `
    select count(*)::integer as rows, extract(epoch from clock_timestamp() - min(taken_at))::float8 as oldest_seconds,
      coalesce(max(attempts), 0) as attempts, (count(*) filter (where attempts = 0 and due_at > now()))::integer as deferred
    from (select attempts, taken_at, due_at from fallback_queue order by fallback_id limit $1) as oldest`, [most])
  return row!
}

function read (event: unknown): OrderEvent | EnvelopeError {
  try {
    return fromEnvelope(event)
  } catch (error) {
    return unreadable(error)
  }
}
