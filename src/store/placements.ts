import type { OrderEvent } from '../orders/event.js'
import { orderJson } from '../orders/order.js'
import { type Client, plainArray, run } from './database.js'
import { FEED_LOCK } from './order-events.js'

/**
 * Books placements, one of an order, in one statement that commits by itself: each order that has no row gets it, and its event is
 * recorded as applied with its position in the feed. Rows come sorted and before the lock of the feed, as in a transaction
 * (decision 0016): it is there only once the count of all of them is.
 * @returns the event ids of those that became rows; of the others nothing is written
 */
export async function bookPlacements (client: Client, placements: readonly OrderEvent[]): Promise<Set<string>> {
  const rows = await run<{ event_id: string }>(client, 'book_placements', `
    with given as materialized (
      select * from unnest($1::uuid[], $2::integer[], $3::text[], $4::integer[], $5::integer[], $6::uuid[], $7::timestamptz[], string_to_array($8, E'\\n')::jsonb[], $9::text[], $10::text[], $11::text[])
        as given (order_id, user_id, item_description, item_quantity, item_price, event_id, occurred_at, data, request_id, actor, traceparent)
    ), placed as (
      insert into orders (order_id, user_id, item_description, item_quantity, item_price, total_value, status, version, event_id, created_at, updated_at)
      select order_id, user_id, item_description, item_quantity, item_price, item_quantity::bigint * item_price, 'confirmed', 1, event_id, occurred_at, occurred_at from given
      on conflict (order_id) do nothing
      returning event_id
    ), locked as materialized (
      select pg_advisory_xact_lock(${FEED_LOCK}) from (select count(*) as rows from placed) as all_placed where rows > 0
    ), recorded as (
      insert into order_events (event_id, order_id, version, type, data, request_id, outcome, occurred_at, actor, user_id, traceparent, position)
      select event_id, order_id, 1, 'order.placed', data, request_id, 'applied', occurred_at, actor, user_id, traceparent, nextval('order_events_position')
      from locked, placed join given using (event_id)
      on conflict (event_id) do update set outcome = excluded.outcome, reason = excluded.reason, recorded_at = now(), position = excluded.position
        where order_events.outcome = 'waiting'
    )
    select event_id from placed`, parametersOf([...placements].sort(byOrder)))
  return new Set(rows.map((row) => row.event_id))
}

function parametersOf (events: readonly OrderEvent[]): unknown[] {
  const column = <T>(read: (event: OrderEvent) => T) => events.map(read)
  const traced = events.some(({ traceparent }) => traceparent !== undefined)
  return [
    plainArray(column(({ order }) => order.order_id)),
    plainArray(column(({ order }) => order.user_id)),
    column(({ order }) => order.item_description),
    plainArray(column(({ order }) => order.item_quantity)),
    plainArray(column(({ order }) => order.item_price)),
    plainArray(column(({ event_id }) => event_id)),
    plainArray(column(({ occurred_at }) => occurred_at)),
    column(({ order }) => orderJson(order)).join('\n'), // JSON holds no raw newline
    column(({ request_id }) => request_id),
    plainArray(column(({ actor }) => actor ?? null)),
    traced ? column(({ traceparent }) => traceparent ?? null) : [] // `unnest` fills up what is missing by null
  ]
}

function byOrder (a: OrderEvent, b: OrderEvent): number {
  return a.order.order_id < b.order.order_id ? -1 : 1
}
