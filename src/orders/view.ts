import type { OrderEvent } from './event.js'
import { nextStatuses, type OrderStatus } from './lifecycle.js'
import { confirmed, type Order } from './order.js'
import type { Role } from '../users/roles.js'

/** An order as a reader may see it, and where that knowledge stands. */
export interface OrderView {
  order: Order
  /** The event whose outcome this view shows. */
  event_id: string
  /** true: this is the row, or was when it was read; false: taken, not yet applied. */
  persisted: boolean
}

/** What a caller is shown: the order and the moves this caller may make next. */
export interface ShownOrder extends Order {
  next_statuses: OrderStatus[]
}

/** A view replaces another only with a higher rank, so no reader ever goes back in time. */
export function rank (view: OrderView): number {
  return view.order.version * 2 + (view.persisted ? 1 : 0)
}

export function higher (a: OrderView | null, b: OrderView | null): OrderView | null {
  if (!a || !b) return a ?? b
  return rank(b) > rank(a) ? b : a
}

/** The view of an event that is taken and not yet applied. */
export function acceptedView (event: OrderEvent): OrderView {
  return { order: event.order, event_id: event.event_id, persisted: false }
}

/** The view of the row that this event leaves behind once applied. */
export function persistedView (event: OrderEvent): OrderView {
  return { order: confirmed(event.order), event_id: event.event_id, persisted: true }
}

/**
 * RFC 9110 entity tag. While only accepted the representation differs from the persisted one of the same version,
 * so its tag does too.
 */
export function entityTag (order: Order): string {
  return `"${order.version}${order.status === 'accepted' ? 'a' : ''}"`
}

export function showOrder (order: Order, role: Role): ShownOrder {
  return { ...order, next_statuses: nextStatuses(order.status, role) }
}
