import { type EnvelopeError, fromEnvelope, seal, unreadable } from '../orders/envelope.js'
import type { OrderEvent } from '../orders/event.js'
import { type Client, run } from './database.js'

/** Takes these events in one statement. One already there stays as it is: the event id is the identity. */
export async function insertOutbox (client: Client, events: readonly OrderEvent[]): Promise<void> {
  await run(client, 'insert_outbox', `
    insert into outbox (event_id, order_id, event) select * from unnest($1::uuid[], $2::uuid[], $3::jsonb[])
    on conflict (event_id) do nothing`, [
    events.map((event) => event.event_id),
    events.map((event) => event.order.order_id),
    events.map((event) => seal(event).json)
  ])
}

/** A row that this worker tries now; nobody else does for the length of the lease. */
export interface OutboxClaim {
  outbox_id: number
  /** This attempt included, and committed: whatever the attempt does to this process, it is counted. */
  attempts: number
  event_id: string
  /** W3C Trace Context, when the event carries one. */
  traceparent: string | null
}

/**
 * Claims the oldest rows that are due. A row that was tried before without an end is claimed alone: it may be what ended
 * the worker that tried it.
 */
export async function claimOutbox (client: Client, limit: number, leaseMs: number): Promise<OutboxClaim[]> {
  const rows = await run<OutboxClaim>(client, 'claim_outbox', `
    with due as (
      select outbox_id, attempts from outbox where due_at <= now() order by outbox_id limit $1 for update skip locked
    ), oldest as (select outbox_id, attempts from due order by outbox_id limit 1)
    update outbox set attempts = outbox.attempts + 1, due_at = now() + $2 * interval '1 ms'
    from due, oldest
    where outbox.outbox_id = due.outbox_id
      and (due.outbox_id = oldest.outbox_id or (due.attempts = 0 and oldest.attempts = 0))
    returning outbox.outbox_id, outbox.attempts, outbox.event_id, outbox.event->>'traceparent' as traceparent`, [limit, leaseMs])
  return rows.sort((a, b) => a.outbox_id - b.outbox_id)
}

/** Ends claims that came to nothing through no fault of the rows: the attempt does not count. */
export async function releaseOutbox (client: Client, ids: readonly number[], dueInMs = 0): Promise<void> {
  await run(client, 'release_outbox', `
    update outbox set attempts = attempts - 1, due_at = now() + $2 * interval '1 ms' where outbox_id = any($1::bigint[]) and attempts > 0`, [ids, dueInMs])
}

/** One row: an event, or why it cannot be read as one. */
export interface OutboxRow {
  outbox_id: number
  attempts: number
  event: OrderEvent | EnvelopeError
  /** The row's own bytes, for the parking lot. */
  raw (): Buffer
}

/** Locks the rows of a claim. One that another worker holds, because the lease ran out, is left to it. */
export async function lockOutbox (client: Client, ids: readonly number[]): Promise<OutboxRow[]> {
  const rows = await run<{ outbox_id: number, attempts: number, event: unknown }>(client, 'lock_outbox', `
    select outbox_id, attempts, event from outbox where outbox_id = any($1::bigint[]) order by outbox_id for update skip locked`, [ids])
  return rows.map(({ outbox_id, attempts, event }) => ({ outbox_id, attempts, event: read(event), raw: () => Buffer.from(JSON.stringify(event)) }))
}

/** @returns how many were still there */
export async function deleteOutbox (client: Client, ids: readonly number[]): Promise<number> {
  return (await run(client, 'delete_outbox', 'delete from outbox where outbox_id = any($1::bigint[]) returning outbox_id', [ids])).length
}

/** How many rows there are to be worked off, counted to 1000; claimed ones included, what waits for a newer worker not. */
export async function countOutbox (client: Client): Promise<number> {
  const [row] = await run<{ waiting: number }>(client, 'count_outbox', `
    select count(*)::integer as waiting from (select from outbox where due_at <= now() or attempts > 0 limit 1000) as counted`, [])
  return row!.waiting
}

export interface OutboxAge {
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
export async function outboxAge (client: Client, most = 1000): Promise<OutboxAge> {
  const [row] = await run<OutboxAge>(client, 'outbox_age', `
    select count(*)::integer as rows, extract(epoch from clock_timestamp() - min(taken_at))::float8 as oldest_seconds,
      coalesce(max(attempts), 0) as attempts, (count(*) filter (where attempts = 0 and due_at > now()))::integer as deferred
    from (select attempts, taken_at, due_at from outbox order by outbox_id limit $1) as oldest`, [most])
  return row!
}

function read (event: unknown): OrderEvent | EnvelopeError {
  try {
    return fromEnvelope(event)
  } catch (error) {
    return unreadable(error)
  }
}
