import type { Role } from '../users/roles.js'
import type { OrderEvent } from './event.js'
import { confirmed, type Order } from './order.js'
import { nextStatuses, type OrderStatus } from './status.js'

/** An order as a reader may see it, and where that knowledge stands. `event_id` names the event whose outcome it shows. */
export type OrderView = PersistedView | AcceptedView

/** This is the row, or was when it was read. */
export interface PersistedView {
  order: Order
  event_id: string
  persisted: true
}

/** Taken and not yet applied. */
export interface AcceptedView {
  order: Order
  event_id: string
  persisted: false
  /** The events that led here and were not known to be persisted, this one last; at most MAX_TAKEN. */
  taken: OrderEvent[]
}

/** What a cache knows of an order. */
export interface FoundView {
  view: OrderView | null
  /** false: it could not be asked, so a missing view says nothing */
  asked: boolean
  /** The event that it shows, or would show, was booked since: the row knows more. */
  booked?: true
}

const MAX_TAKEN = 20

/** What a caller is shown: the order and the moves this caller may make next. */
export interface OrderForCaller extends Order {
  next_statuses: OrderStatus[]
}

/**
 * A view replaces another only with a higher rank, so no reader ever goes back in time. A placement that was rejected ranks
 * below the same one booked: an operator may have it tried again.
 *
 *   version 1: accepted 2, rejected 2 < persisted 3 < version 2: accepted 4 < persisted 5 < ...
 *
 * One exception, in the cache: the view of an event that was rejected gives way to the row, whatever its rank.
 */
export function rank ({ order, persisted }: OrderView): number {
  return order.version * 2 + (persisted && order.status !== 'rejected' ? 1 : 0)
}

export function higher (a: OrderView | null, b: OrderView | null): OrderView | null {
  if (!a || !b) return a ?? b
  return rank(b) > rank(a) ? b : a
}

/** @param on the view that the event was built on; null for a placement */
export function acceptedView (event: OrderEvent, on: OrderView | null = null): AcceptedView {
  const earlier = on?.persisted === false ? on.taken.slice(1 - MAX_TAKEN) : []
  return { order: event.order, event_id: event.event_id, persisted: false, taken: [...earlier, event] }
}

/** The view of the row that this event leaves behind once applied. */
export function persistedView (event: OrderEvent): PersistedView {
  return { order: confirmed(event.order), event_id: event.event_id, persisted: true }
}

export function orderForCaller (order: Order, role: Role): OrderForCaller {
  return { ...order, next_statuses: nextStatuses(order.status, role) }
}
