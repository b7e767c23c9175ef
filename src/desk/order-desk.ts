import { OrderError } from '../orders/errors.js'
import { placeOrder } from '../orders/event.js'
import { keyedEventId, keyedOrderId } from '../orders/identity.js'
import type { OrderLine } from '../orders/order.js'
import { decodeCursor, type OrderFilter, toPage } from '../orders/page.js'
import { acceptedView, entityTag, higher, type OrderView, showOrder, type ShownOrder } from '../orders/view.js'
import type { Role } from '../users/roles.js'
import type { IntakePort, OrdersPort, ViewsPort } from './ports.js'

export interface Caller {
  user_id: number
  role: Role
}

export interface PlaceRequest {
  caller: Caller
  line: OrderLine
  request_id: string
  traceparent?: string | undefined
  /** With it the same request always names the same order. */
  idempotency_key?: string | undefined
}

export interface Answer {
  order: ShownOrder
  tag: string
}

export interface OrderDeskOptions {
  intake: IntakePort
  /** null: there is no cache */
  views: ViewsPort | null
  orders: OrdersPort
  /** UUIDv7 */
  newId: () => string
  /** Whether an order may exist that neither the views nor the tables show: it is in the broker's queue and its view is lost. */
  mayBeHidden: () => boolean
}

/** An unpersisted view older than this is checked against Postgres: no view stays wrong longer. Milliseconds. */
export const TRUSTED_UNPERSISTED_MS = 2000
const PLACE_ROUTE = 'POST /orders'

/** Where domain, intake, views and rows meet: places and finds orders. */
export class OrderDesk {
  readonly #options: OrderDeskOptions

  constructor (options: OrderDeskOptions) {
    this.#options = options
  }

  /** Resolves when the order cannot be lost any more and a reader sees it. @throws OrderError when it was not taken */
  async place ({ caller, line, request_id, traceparent, idempotency_key: key }: PlaceRequest): Promise<Answer> {
    const { newId, intake, views } = this.#options
    const order_id = key === undefined ? newId() : keyedOrderId(PLACE_ROUTE, caller.user_id, key)
    const event_id = key === undefined ? newId() : keyedEventId(order_id, line)
    const now = new Date().toISOString()
    const placed = placeOrder({ order_id, event_id, user_id: caller.user_id, line, now, request_id })
    const event = traceparent === undefined ? placed : { ...placed, traceparent }
    await intake.take(event)
    const view = acceptedView(event)
    await views?.put([{ view }])
    return answer(view, caller)
  }

  /** @throws OrderError `order_not_found`, also for somebody else's order; `order_not_visible_yet` */
  async find (orderId: string, caller: Caller): Promise<Answer> {
    const view = await this.#see(orderId)
    if (!view) throw new OrderError(this.#options.mayBeHidden() ? 'order_not_visible_yet' : 'order_not_found')
    if (caller.role !== 'operator' && view.order.user_id !== caller.user_id) throw new OrderError('order_not_found')
    return answer(view, caller)
  }

  /** A customer's own orders, or for an operator everybody's: persisted ones, newest first. @throws OrderError `bad_cursor`, `forbidden` */
  async list (filter: Omit<OrderFilter, 'after'> & { cursor?: string | undefined }, caller: Caller): Promise<{ items: ShownOrder[], next_cursor: string | null }> {
    const { cursor, ...wanted } = filter
    const after = cursor === undefined ? undefined : decodeCursor(cursor)
    if (after === null) throw new OrderError('bad_cursor')
    const operator = caller.role === 'operator'
    if (!operator && wanted.user_id !== undefined && wanted.user_id !== caller.user_id) throw new OrderError('forbidden')
    const user_id = operator ? wanted.user_id : caller.user_id
    const rows = await this.#options.orders.list({ ...wanted, user_id, after, limit: wanted.limit + 1 })
    const { items, next_cursor } = toPage(rows, wanted.limit)
    return { items: items.map((order) => showOrder(order, caller.role)), next_cursor }
  }

  async #see (orderId: string): Promise<OrderView | null> {
    const { views, orders } = this.#options
    const cached = (await views?.get(orderId))?.view ?? null
    if (cached && isFresh(cached)) return cached
    try {
      const stored = await orders.find(orderId)
      if (stored) await views?.put([{ view: stored }])
      return higher(stored, cached)
    } catch (error) {
      // With Postgres away the view is the best there is to know.
      if (cached) return cached
      throw error
    }
  }
}

function isFresh ({ persisted, order }: OrderView): boolean {
  return persisted || Date.now() - Date.parse(order.updated_at) < TRUSTED_UNPERSISTED_MS
}

function answer ({ order }: OrderView, { role }: Caller): Answer {
  return { order: showOrder(order, role), tag: entityTag(order) }
}
