import type pg from 'pg'
import { v7 } from 'uuid'
import { serializeEvent } from '../../src/orders/envelope.js'
import { type OrderEvent, placeOrder } from '../../src/orders/event.js'
import { insertFallback } from '../../src/store/fallback-queue.js'
import { newCpf } from '../../testkit/cpf.js'
import { newPhoneNumber } from './people.js'
import { keepPerson } from './personal-data.js'

/** A user straight into the table, for tests that need no password. */
export async function insertPerson (pool: pg.Pool): Promise<number> {
  const nick_name = v7()
  const person = { cpf: newCpf(), email: `${nick_name}@example.com`, phone_number: newPhoneNumber() }
  keepPerson(person)
  const { rows } = await pool.query<{ user_id: number }>(`
    insert into users (nick_name, password, full_name, cpf, email, phone_number)
    values ($1, 'x', 'Ana', $2, $3, $4) returning user_id`, [nick_name, person.cpf, person.email, person.phone_number])
  return rows[0]!.user_id
}

export function placement (user_id: number, given: Partial<OrderEvent> = {}): OrderEvent {
  const placed = placeOrder({
    order_id: v7(),
    event_id: v7(),
    user_id,
    input: { item_description: 'Café', item_quantity: 2, item_price: 500 },
    now: new Date().toISOString(),
    request_id: 'test',
    actor: `user:${user_id}`
  })
  return { ...placed, ...given }
}

/** A change built on this event: a new quantity. */
export function amendment (base: OrderEvent, item_quantity = base.order.item_quantity + 1): OrderEvent {
  const { order } = base
  return {
    ...base,
    event_id: v7(),
    type: 'order.amended',
    base: base.event_id,
    order: { ...order, item_quantity, total_value: item_quantity * order.item_price, version: order.version + 1 }
  }
}

export interface Booked {
  orders: Array<{ order_id: string, event_id: string, version: number, item_quantity: number, status: string }>
  events: Array<{ event_id: string, outcome: string, reason: string | null }>
}

/** Everything booked for these orders, in a steady order. */
export async function booked (pool: pg.Pool, orderIds: string[]): Promise<Booked> {
  const orders = await pool.query('select order_id, event_id, version, item_quantity, status from orders where order_id = any($1) order by order_id', [orderIds])
  const events = await pool.query('select event_id, outcome, reason from order_events where order_id = any($1) order by version, event_id', [orderIds])
  return { orders: orders.rows, events: events.rows }
}

/** As a source takes it. */
export function takenOf (event: OrderEvent): { event: OrderEvent, raw: () => Buffer } {
  return { event, raw: () => Buffer.from(serializeEvent(event).json) }
}

/** Straight into the fallback queue, as an api puts them there that has no broker. */
export async function enqueueFallback (client: Parameters<typeof insertFallback>[0], events: readonly OrderEvent[]): Promise<void> {
  await insertFallback(client, events.map(serializeEvent))
}
