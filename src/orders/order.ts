/**
 * Words of this room:
 * - order: what a customer asked for, one row of `orders`.
 * - order event: one change of an order, carrying the order's full state after the change (event.ts).
 * - version: 1 for the placement, one more for every change.
 * - base: the event that an event was built on; null for a placement.
 * - chain: an order's applied events, each built on the one before (chain.ts).
 * - view: the order as a reader sees it, with its rank (view.ts).
 */
import type { OrderStatus } from './lifecycle.js'

/** What the customer chooses. Money is an integer in minor units (centavos). */
export interface OrderLine {
  /** 1 to 256 characters, at least one of them visible */
  item_description: string
  /** 1 to MAX_QUANTITY */
  item_quantity: number
  /** 0 to MAX_PRICE, minor units for one item */
  item_price: number
}

export interface Order extends OrderLine {
  order_id: string
  user_id: number
  /** quantity x price, minor units */
  total_value: number
  status: OrderStatus
  version: number
  /** ISO 8601 in UTC, milliseconds; the api's clock */
  created_at: string
  updated_at: string
  /** Why it could not be applied; only with status `rejected`. */
  reason?: string
}

/** Together these bounds keep every total a safe integer: 10^6 x 10^8 = 10^14 < 2^53. */
export const MAX_QUANTITY = 1_000_000
export const MAX_PRICE = 100_000_000
export const MAX_DESCRIPTION = 256

export function totalValue (line: OrderLine): number {
  return line.item_quantity * line.item_price
}

/** Persisting is what confirms: the state an accepted order has once its event is applied. Any other state stays. */
export function confirmed (order: Order): Order {
  return order.status === 'accepted' ? { ...order, status: 'confirmed' } : order
}
