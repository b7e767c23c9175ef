import { fromEnvelope } from '../orders/envelope.js'
import type { OrderEvent } from '../orders/event.js'
import type { Order } from '../orders/order.js'
import type { OrderFilter } from '../orders/page.js'
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

/** What Postgres knows of one order: its row, an event still in the outbox, or a placement that was rejected. */
export async function findOrder (client: Client, orderId: string): Promise<OrderView | null> {
  const [found] = await run<Found>(client, 'find_order', `
    select
      (select to_jsonb(orders) from orders where order_id = $1) as stored,
      (select event from outbox where order_id = $1 order by (event -> 'data' ->> 'version')::integer desc limit 1) as taken,
      (select jsonb_build_object('order', data, 'event_id', event_id, 'reason', reason) from order_events
        where order_id = $1 and outcome = 'rejected' and base is null order by recorded_at limit 1) as rejected`, [orderId])
  const stored = found?.stored ? rowView({ ...found.stored, created_at: iso(found.stored.created_at), updated_at: iso(found.stored.updated_at) }) : null
  const taken = found?.taken ? acceptedView(fromEnvelope(found.taken)) : null
  return higher(stored, taken) ?? rejectedView(found?.rejected ?? null)
}

interface Found {
  stored: OrderRow | null
  taken: unknown
  rejected: { order: Order, event_id: string, reason: string } | null
}

/** Persisted orders, newest first; keyset, so every page costs the same. */
export async function listOrders (client: Client, filter: OrderFilter): Promise<Order[]> {
  const { user_id, status, created_from, created_to, after } = filter
  const conditions: Array<[given: unknown[], condition: (...places: string[]) => string]> = [
    [[user_id], (user) => `user_id = ${user}`],
    [[status], (wanted) => `status = ${wanted}`],
    [[created_from], (from) => `created_at >= ${from}`],
    [[created_to], (to) => `created_at < ${to}`],
    [[after?.created_at, after?.order_id], (time, id) => `(created_at, order_id) < (${time}::timestamptz, ${id}::uuid)`]
  ]
  const values: unknown[] = [filter.limit]
  const where = conditions.map(([given, condition]) =>
    given[0] === undefined ? 'true' : condition(...given.map((value) => `$${values.push(value)}`)))
  // One prepared statement for each of the 32 shapes that this text can take.
  const shape = conditions.map(([given]) => given[0] === undefined ? 0 : 1).join('')
  const rows = await run<OrderRow>(client, `list_orders_${shape}`, `
    select ${COLUMNS} from orders where ${where.join(' and ')} order by created_at desc, order_id desc limit $1`, values)
  return rows.map((row) => rowView(row).order)
}

function rowView ({ event_id, ...order }: OrderRow): OrderView {
  return { order, event_id, persisted: true }
}

function rejectedView (rejected: Found['rejected']): OrderView | null {
  if (!rejected) return null
  return { order: { ...rejected.order, status: 'rejected', reason: rejected.reason }, event_id: rejected.event_id, persisted: true }
}

function iso (text: string): string {
  return new Date(text).toISOString()
}

function byOrder (a: OrderEvent, b: OrderEvent): number {
  return a.order.order_id < b.order.order_id ? -1 : 1
}
