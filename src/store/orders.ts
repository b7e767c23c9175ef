import { DATASCHEMA, fromEnvelope } from '../orders/envelope.js'
import type { OrderEvent } from '../orders/event.js'
import type { Order } from '../orders/order.js'
import type { OrderFilter, PageEnd } from '../orders/page.js'
import { ORDER_STATUSES } from '../orders/status.js'
import { acceptedView, higher, type OrderView } from '../orders/view.js'
import { type Client, plainArray, run } from './database.js'

/** A row of `orders`. */
interface OrderRow extends Order {
  event_id: string
}

const COLUMNS = 'order_id, user_id, item_description, item_quantity, item_price, total_value, status, version, event_id, created_at, updated_at'

/**
 * Inserts one row for each placement whose order has none. Sorted, so that two workers never wait for each other in a
 * circle.
 * @returns the event ids of the placements that became rows
 */
export async function insertPlacements (client: Client, placements: readonly OrderEvent[]): Promise<Set<string>> {
  const events = [...placements].sort(byOrder)
  const column = <T>(read: (event: OrderEvent) => T) => events.map(read)
  const rows = await run<{ event_id: string }>(client, 'insert_placements', `
    insert into orders (${COLUMNS})
    select order_id, user_id, item_description, item_quantity, item_price, item_quantity::bigint * item_price, 'confirmed', 1, event_id, created_at, created_at
    from unnest($1::uuid[], $2::integer[], $3::text[], $4::integer[], $5::integer[], $6::uuid[], $7::timestamptz[])
      as placed (order_id, user_id, item_description, item_quantity, item_price, event_id, created_at)
    on conflict (order_id) do nothing
    returning event_id`, [
    plainArray(column((event) => event.order.order_id)),
    plainArray(column((event) => event.order.user_id)),
    column((event) => event.order.item_description),
    plainArray(column((event) => event.order.item_quantity)),
    plainArray(column((event) => event.order.item_price)),
    plainArray(column((event) => event.event_id)),
    plainArray(column((event) => event.occurred_at))
  ])
  return new Set(rows.map((row) => row.event_id))
}

/** Locks the rows of these orders, in the order of their ids, and reads them. */
export async function lockOrders (client: Client, orderIds: readonly string[]): Promise<Map<string, OrderView>> {
  const rows = await run<OrderRow>(client, 'lock_orders', `
    select ${COLUMNS} from orders where order_id = any($1::uuid[]) order by order_id for update`, [[...orderIds].sort()])
  return new Map(rows.map((row) => [row.order_id, rowView(row)]))
}

/** Gives each order the state of the last event of its chain. */
export async function updateOrders (client: Client, lasts: readonly OrderView[]): Promise<void> {
  const column = <T>(read: (order: Order) => T) => lasts.map((view) => read(view.order))
  await run(client, 'update_orders', `
    update orders
    set item_description = last.item_description, item_quantity = last.item_quantity, item_price = last.item_price,
      total_value = last.item_quantity::bigint * last.item_price, status = last.status, version = last.version,
      event_id = last.event_id, updated_at = last.updated_at
    from unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[], $5::text[], $6::integer[], $7::uuid[], $8::timestamptz[])
      as last (order_id, item_description, item_quantity, item_price, status, version, event_id, updated_at)
    where orders.order_id = last.order_id`, [
    column((order) => order.order_id),
    column((order) => order.item_description),
    column((order) => order.item_quantity),
    column((order) => order.item_price),
    column((order) => order.status),
    column((order) => order.version),
    lasts.map((view) => view.event_id),
    column((order) => order.updated_at)
  ])
}

/**
 * What Postgres knows of one order: its row, an event still in the fallback queue, or a placement that was rejected.
 * @param eventId of a view that is in doubt; `rejected` tells whether that event was
 */
export async function findOrder (client: Client, orderId: string, eventId: string | null = null): Promise<{ view: OrderView | null, rejected: boolean }> {
  const [found] = await run<Found>(client, 'find_order', `
    select
      (select to_jsonb(orders) from orders where order_id = $1) as stored,
      (select event from fallback_queue where order_id = $1 and event ->> 'dataschema' = $3 order by (event -> 'data' ->> 'version')::integer desc limit 1) as taken,
      (select jsonb_build_object('order', data, 'event_id', event_id, 'reason', reason) from order_events
        where order_id = $1 and outcome = 'rejected' and base is null order by recorded_at limit 1) as refused,
      exists (select from order_events where event_id = $2 and outcome = 'rejected') as rejected`, [orderId, eventId, DATASCHEMA]) // what a newer api took, only a newer one can show
  const { stored, taken, refused, rejected } = found!
  const known = higher(stored && rowView(withDates(stored)), taken === null ? null : acceptedView(fromEnvelope(taken)))
  return { view: known ?? rejectedView(refused), rejected }
}

interface Found {
  stored: OrderRow | null
  taken: unknown
  refused: { order: Order, event_id: string, reason: string } | null
  rejected: boolean
}

/** The statuses that a row may have: those before and beside it are never stored. */
const STORED_STATUSES = ORDER_STATUSES.filter((status) => status !== 'accepted' && status !== 'rejected')
const LOWEST_ID = '00000000-0000-0000-0000-000000000000'
/** Before every order there is, and behind every one. */
const OLDEST: PageEnd = { created_at: '-infinity', order_id: LOWEST_ID }
const NEWEST: PageEnd = { created_at: 'infinity', order_id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' }

/**
 * Persisted orders, newest first; keyset, so every page costs the same. Each status is one range of an index, read no further
 * than the limit, and the few candidates are merged: a rare status costs no more than a common one (docs/lists.md).
 * There is one upper bound, because of two a newer Postgres begins at the wider and reads down to the other; and the user stands
 * in a subquery, because one who is known to have most orders is looked for among the orders of all users.
 */
export async function listOrders (client: Client, filter: OrderFilter): Promise<Order[]> {
  const { limit, user_id, status, created_from = '-infinity', created_to = 'infinity', after = NEWEST } = filter
  const whose = user_id === undefined ? 'everybody' : 'user'
  const rows = await run<OrderRow>(client, `list_orders_of_${whose}`, `
    select newest.* from unnest($2::text[]) as one (status)
    cross join lateral (
      select ${COLUMNS} from orders
      where ${whose === 'user' ? 'user_id = (select $7::integer) and' : ''} orders.status = one.status and created_at >= $3
        and (created_at, order_id) < (least($4::timestamptz, $5::timestamptz), case when $5::timestamptz < $4::timestamptz then $6::uuid else '${LOWEST_ID}' end)
      order by created_at desc, order_id desc limit $1
    ) as newest
    order by created_at desc, order_id desc limit $1`, [
    limit,
    status === undefined ? STORED_STATUSES : [status],
    created_from,
    created_to,
    after.created_at,
    after.order_id,
    ...(user_id === undefined ? [] : [user_id])
  ])
  return rows.map((row) => rowView(row).order)
}

/** Unpaid, and as they are for so long, by the clock of Postgres: the oldest of them. `behind`: of one run, those before are done. */
export async function staleOrders (client: Client, { staleAfter, behind = OLDEST, limit }: { staleAfter: number, behind?: PageEnd | undefined, limit: number }): Promise<{ views: OrderView[], now: string }> {
  const rows = await run<OrderRow & { now: string }>(client, 'stale_orders', `
    select ${COLUMNS}, clock_timestamp() as now from orders
    where ${STALE} and (created_at, order_id) > ($2::timestamptz, $3::uuid)
    order by created_at, order_id limit $4`, [staleAfter, behind.created_at, behind.order_id, limit])
  return { views: rows.map(({ now: _, ...row }) => rowView(row)), now: rows[0]?.now ?? '' }
}

/** How many there are, counted to `most`. */
export async function countStale (client: Client, staleAfter: number, most: number): Promise<number> {
  const [row] = await run<{ stale: number }>(client, 'count_stale', `
    select count(*)::integer as stale from (select from orders where ${STALE} limit $2) as counted`, [staleAfter, most])
  return row!.stale
}

/** By the index of statuses: what is younger by its creation is not read. */
const STALE = "status = 'confirmed' and created_at < now() - $1 * interval '1 second' and updated_at < now() - $1 * interval '1 second'"

function rowView ({ event_id, ...order }: OrderRow): OrderView {
  return { order, event_id, persisted: true }
}

function rejectedView (refused: Found['refused']): OrderView | null {
  if (!refused) return null
  return { order: { ...refused.order, status: 'rejected', reason: refused.reason }, event_id: refused.event_id, persisted: true }
}

/** Out of JSON the moments come as Postgres writes them. */
function withDates (row: OrderRow): OrderRow {
  return { ...row, created_at: new Date(row.created_at).toISOString(), updated_at: new Date(row.updated_at).toISOString() }
}

function byOrder (a: OrderEvent, b: OrderEvent): number {
  return a.order.order_id < b.order.order_id ? -1 : 1
}
