import type { Actor } from './actor.js'
import { type Order, type OrderInput, totalValue } from './order.js'
import type { OrderStatus } from './status.js'

export const ORDER_EVENT_TYPES = ['order.placed', 'order.amended', 'order.cancelled', 'order.status_changed'] as const
export type OrderEventType = typeof ORDER_EVENT_TYPES[number]

/** One change of an order: immutable, named by `event_id`, complete in itself. */
export interface OrderEvent {
  event_id: string
  type: OrderEventType
  /** The event this one was built on; null for a placement. */
  base: string | null
  /** The order's full state after the change; `order.version` is the event's version. */
  order: Order
  /** The api's clock when the change was taken, ISO 8601. */
  occurred_at: string
  /** The HTTP request that asked for it. */
  request_id: string
  /** Who asked for it; missing in events of the releases that did not name one. */
  actor?: Actor
  /** W3C Trace Context of that request, when there is one. */
  traceparent?: string
}

/** What names an event and tells where it came from. */
export interface Origin {
  event_id: string
  /** ISO 8601 */
  now: string
  request_id: string
  actor?: Actor | undefined
  traceparent?: string | undefined
}

export interface Placement extends Origin {
  order_id: string
  user_id: number
  input: OrderInput
}

/** Member by member, as everything on the path of every order: rest and spread made objects that cost ten times as much. */
export function placeOrder (placement: Placement): OrderEvent {
  const { order_id, user_id, input, now } = placement
  return eventOf('order.placed', null, {
    order_id,
    user_id,
    item_description: input.item_description,
    item_quantity: input.item_quantity,
    item_price: input.item_price,
    total_value: totalValue(input),
    status: 'accepted',
    version: 1,
    created_at: now,
    updated_at: now
  }, placement)
}

/** The order as the change finds it, and the event that left it so. */
export interface Base {
  order: Order
  event_id: string
}

export function amendOrder (base: Base, input: OrderInput, origin: Origin): OrderEvent {
  return changeOrder('order.amended', base, { ...input, total_value: totalValue(input) }, origin)
}

export function moveOrder (base: Base, to: OrderStatus, origin: Origin): OrderEvent {
  return changeOrder(to === 'cancelled' ? 'order.cancelled' : 'order.status_changed', base, { status: to }, origin)
}

function changeOrder (type: OrderEventType, { order, event_id }: Base, change: Partial<Order>, origin: Origin): OrderEvent {
  return eventOf(type, event_id, { ...order, ...change, version: order.version + 1, updated_at: origin.now }, origin)
}

function eventOf (type: OrderEventType, base: string | null, order: Order, { event_id, now, request_id, actor, traceparent }: Origin): OrderEvent {
  const event: OrderEvent = { event_id, type, base, order, occurred_at: now, request_id }
  if (actor !== undefined) event.actor = actor
  if (traceparent !== undefined) event.traceparent = traceparent
  return event
}
