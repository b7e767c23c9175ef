import { type Order, type OrderLine, totalValue } from './order.js'

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
  /** W3C Trace Context of that request, when there is one. */
  traceparent?: string
}

export interface Placement {
  order_id: string
  event_id: string
  user_id: number
  line: OrderLine
  /** ISO 8601 */
  now: string
  request_id: string
}

export function placeOrder ({ order_id, event_id, user_id, line, now, request_id }: Placement): OrderEvent {
  return {
    event_id,
    type: 'order.placed',
    base: null,
    occurred_at: now,
    request_id,
    order: {
      order_id,
      user_id,
      item_description: line.item_description,
      item_quantity: line.item_quantity,
      item_price: line.item_price,
      total_value: totalValue(line),
      status: 'accepted',
      version: 1,
      created_at: now,
      updated_at: now
    }
  }
}
