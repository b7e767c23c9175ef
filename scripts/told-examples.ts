import { type CloudEvent, cloudEventOf } from '../src/feed/cloud-event.js'
import { amendOrder, type Base, moveOrder, type OrderEvent, placeOrder } from '../src/orders/event.js'
import type { FeedEvent, Happening } from '../src/orders/feed-event.js'
import type { OrderStatus } from '../src/orders/status.js'

const origin = { event_id: '01993a4e-2c1e-7b0c-8d11-2f6f0c1d4e7b', now: '2026-11-23T12:00:00.000Z', request_id: '4f6f2f0e-8f5b-4c1e-9d3c-0d9f3b1c7a55' }
const input = { item_description: 'Café especial ☕', item_quantity: 2, item_price: 1990 }
const placed = placeOrder({ ...origin, order_id: '01993a4e-2c1d-7e3a-9b58-2f6f0c1d4e7a', user_id: 1, input, actor: 'user:1' })
const later = { ...origin, event_id: '01993a4f-0a2b-7c3d-8e4f-5a6b7c8d9e0f', now: '2026-11-23T12:05:00.000Z' }
const on = (status: OrderStatus): Base => ({ order: { ...placed.order, status }, event_id: placed.event_id })
const byOperator = { ...later, actor: 'operator:7' }

const EVENTS: Record<Happening, OrderEvent> = {
  confirmed: placed,
  amended: amendOrder(on('confirmed'), { ...input, item_quantity: 3 }, { ...later, actor: 'user:1' }),
  paid: moveOrder(on('confirmed'), 'paid', byOperator),
  shipped: moveOrder(on('paid'), 'shipped', byOperator),
  delivered: moveOrder(on('shipped'), 'delivered', byOperator),
  cancelled: moveOrder(on('confirmed'), 'cancelled', { ...later, actor: 'user:1' }),
  rejected: placed,
  change_rejected: moveOrder(on('confirmed'), 'cancelled', { ...later, actor: 'user:1' })
}
const REASONS: Partial<Record<Happening, string>> = { rejected: 'unknown_user', change_rejected: 'superseded' }

/** An event of this kind, made as the relay makes them. */
export function exampleOf (what: Happening): CloudEvent {
  const { event_id, type, base, order, occurred_at, actor = null, traceparent = null } = EVENTS[what]
  const reason = REASONS[what] ?? null
  const event: FeedEvent = { position: 42, event_id, type, version: order.version, base, data: order, outcome: reason === null ? 'applied' : 'rejected', reason, actor, traceparent, recorded_at: occurred_at, reopened: 0 }
  return cloudEventOf(event)
}
