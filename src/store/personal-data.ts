import type { Order } from '../orders/order.js'
import type { Endpoint } from '../webhooks/endpoint.js'
import { type Client, plainArray, run } from './database.js'
import { listOrders } from './orders.js'
import { listEndpoints } from './webhooks.js'

/** Rows read at once: an export holds no more, however much there is. */
const PAGE = 500
const EVENT = 'event_id, order_id, version, base, type, data, request_id, actor, outcome, reason, occurred_at, recorded_at'
/** Below every UUID in use. */
const NIL = '00000000-0000-0000-0000-000000000000'

/** Events of this user's orders that are taken and not yet applied: the few of the whole table, so without an index. */
export async function * fallbackQueueOf (client: Client, userId: number): AsyncGenerator<object[]> {
  yield * pages<{ fallback_id: number }>(async (after) => await run(client, 'fallback_queue_of', `
    select fallback_id, event, taken_at from fallback_queue
    where event -> 'data' ->> 'user_id' = $1 and fallback_id > $2 order by fallback_id limit $3`, [String(userId), after?.fallback_id ?? 0, PAGE]))
}

/** What lies in the parking lot and could be read as an event of this user's orders. */
export async function * parkedEventsOf (client: Client, userId: number): AsyncGenerator<object[]> {
  const read = pages<{ id: string, raw: Buffer }>(async (after) => await run(client, 'parked_events_of', `
    select encode(hash, 'hex') as id, source, reason, attempts, parked_at, settlement, settled_at, raw from parked_events
    where user_id = $1 and hash > decode($2, 'hex') order by hash limit $3`, [userId, after?.id ?? '', PAGE]))
  for await (const rows of read) yield rows.map(({ raw, ...row }) => ({ ...row, event: raw.toString() }))
}

/**
 * What was recorded of this user's orders: first what waits or was rejected, then, order by order, what was applied. (The
 * lateral look into each order is measured: one comparison of (order_id, version) read the whole index for every page.)
 */
export async function * orderEventsOf (client: Client, userId: number): AsyncGenerator<object[]> {
  yield * pages<{ event_id: string }>(async (after) => await run(client, 'off_chain_events_of', `
    select ${EVENT} from order_events
    where outcome <> 'applied' and data ->> 'user_id' = $1 and event_id > $2 order by event_id limit $3`, [String(userId), after?.event_id ?? NIL, PAGE]))
  for await (const orders of ordersOf(client, userId)) {
    const ids = plainArray(orders.map((order) => order.order_id))
    yield * pages<{ order_id: string, version: number }>(async (after) => await run(client, 'applied_events_of', `
      select event.* from (select id from unnest($1::uuid[]) as id where id >= $2::uuid order by id) as wanted
      cross join lateral (
        select ${EVENT} from order_events
        where outcome = 'applied' and order_id = wanted.id and version > case when wanted.id = $2 then $3::integer else 0 end
        order by version limit $4) as event
      order by wanted.id, version limit $4`, [ids, after?.order_id ?? NIL, after?.version ?? 0, PAGE]))
  }
}

/** Where they are called; of secrets nothing. */
export async function * webhooksOf (client: Client, userId: number): AsyncGenerator<Endpoint[]> {
  yield * pages<Endpoint>(async (after) => await listEndpoints(client, { user_id: userId, after: after?.webhook_id, limit: PAGE }))
}

/** Newest first. */
export async function * ordersOf (client: Client, userId: number): AsyncGenerator<Order[]> {
  yield * pages<Order>(async (after) => await listOrders(client, { user_id: userId, after, limit: PAGE }))
}

/** @param read the rows behind the last one of the page before */
async function * pages<Row extends object> (read: (after: Row | undefined) => Promise<Row[]>): AsyncGenerator<Row[]> {
  let rows: Row[] = []
  do {
    rows = await read(rows.at(-1))
    yield rows
  } while (rows.length === PAGE)
}
