import { EnvelopeError, fromEnvelope, toEnvelope } from '../orders/envelope.js'
import type { OrderEvent } from '../orders/event.js'
import { type Client, run } from './database.js'

/** Takes these events in one statement. One already there stays as it is: the event id is the identity. */
export async function insertOutbox (client: Client, events: readonly OrderEvent[]): Promise<void> {
  await run(client, 'insert_outbox', `
    insert into outbox (event_id, order_id, event) select * from unnest($1::uuid[], $2::uuid[], $3::jsonb[])
    on conflict (event_id) do nothing`, [
    events.map((event) => event.event_id),
    events.map((event) => event.order.order_id),
    events.map((event) => JSON.stringify(toEnvelope(event)))
  ])
}

/** One row: an event, or why it cannot be read as one. */
export interface OutboxRow {
  outbox_id: number
  attempts: number
  event: OrderEvent | EnvelopeError
  /** The row's own bytes, for the parking lot. */
  raw: Buffer
}

/** Locks the oldest rows that no other worker holds. */
export async function lockOutbox (client: Client, limit: number): Promise<OutboxRow[]> {
  const rows = await run<{ outbox_id: number, attempts: number, event: unknown }>(client, 'lock_outbox', `
    select outbox_id, attempts, event from outbox order by outbox_id limit $1 for update skip locked`, [limit])
  return rows.map(({ outbox_id, attempts, event }) => ({ outbox_id, attempts, event: read(event), raw: Buffer.from(JSON.stringify(event)) }))
}

export async function deleteOutbox (client: Client, ids: readonly number[]): Promise<void> {
  await run(client, 'delete_outbox', 'delete from outbox where outbox_id = any($1::bigint[])', [ids])
}

function read (event: unknown): OrderEvent | EnvelopeError {
  try {
    return fromEnvelope(event)
  } catch (error) {
    if (error instanceof EnvelopeError) return error
    throw error
  }
}
