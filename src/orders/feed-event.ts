import type { OrderEventType } from './event.js'
import { confirmed, type Order } from './order.js'

/** A settled order event, at its place in the order of the commits. */
export interface FeedEvent {
  /** Ascending; some numbers are missing. */
  position: number
  event_id: string
  type: OrderEventType
  version: number
  base: string | null
  /** The order's state after the change, as the change asked for it. */
  data: Order
  outcome: 'applied' | 'rejected'
  /** Where it was rejected; `expired` where an order was cancelled because it stayed unpaid. */
  reason: string | null
  actor: string | null
  /** W3C Trace Context of the request that asked for it. */
  traceparent: string | null
  /** ISO 8601, the clock of Postgres */
  recorded_at: string
  /** How often an operator had it decided anew. */
  reopened: number
}

/** What can happen to an order, as others are told. `rejected`: a placement; `change_rejected`: a change that was lost */
export const HAPPENINGS = ['confirmed', 'amended', 'paid', 'shipped', 'delivered', 'cancelled', 'rejected', 'change_rejected'] as const
export type Happening = typeof HAPPENINGS[number]

export const FEED_TYPES = HAPPENINGS.map((what) => `comanda.order.${what}` as const)
export type FeedType = typeof FEED_TYPES[number]

export function happeningOf ({ type, base, data, outcome }: Pick<FeedEvent, 'type' | 'base' | 'data' | 'outcome'>): Happening {
  if (outcome === 'rejected') return base === null ? 'rejected' : 'change_rejected'
  if (type === 'order.amended') return 'amended'
  return confirmed(data).status as Happening
}

/** The order as the api shows it: of a lost change, what it would have been. */
export function orderOf ({ base, data, outcome, reason }: Pick<FeedEvent, 'base' | 'data' | 'outcome' | 'reason'>): Order {
  if (outcome === 'applied') return confirmed(data)
  return base === null ? { ...data, status: 'rejected', ...(reason === null ? {} : { reason }) } : data
}

/** Which events of the feed a reader is told: all, or only those of one user, of one order, of some kinds. */
export interface FeedSelection {
  user_id?: number | undefined
  order_id?: string | undefined
  happenings?: ReadonlySet<Happening> | undefined
}

export function isSelected (event: FeedEvent, { user_id, order_id, happenings }: FeedSelection): boolean {
  if (user_id !== undefined && event.data.user_id !== user_id) return false
  if (order_id !== undefined && event.data.order_id !== order_id) return false
  return happenings === undefined || happenings.has(happeningOf(event))
}
