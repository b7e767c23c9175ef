import { OrderError } from '../orders/errors.js'
import { decodeCursor, encodeCursor, type OrderFilter, type Page, toPage } from '../orders/page.js'
import { decodeTimelineCursor, encodeTimelineCursor, type TimelineEntry } from '../orders/timeline.js'
import { type FoundView, higher, type OrderView, orderForCaller, type OrderForCaller } from '../orders/view.js'
import { actionOnUser, actorOf, type Requester } from '../users/actions.js'
import type { Caller } from '../users/roles.js'
import type { ActionsPort, OrdersPort, ViewsPort } from './ports.js'

export interface Answer {
  order: OrderForCaller
  /** The event that left it so. */
  event_id: string
}

export interface OrderReaderOptions {
  /** null: there is no cache */
  views: ViewsPort | null
  orders: OrdersPort
  actions: ActionsPort
  /**
   * Whether an order, or a newer version of one, may exist that neither the views nor the tables show: it is in the broker's queue
   * and its view is lost.
   * @param asked whether the views could be asked just now
   * @param since when what is known of the order was taken, milliseconds since 1970; null: nothing is known
   */
  mayBeHidden: (asked: boolean, since: number | null) => boolean
}

export type ListQuery = Omit<OrderFilter, 'after'> & { cursor?: string | undefined }

/** An unpersisted view older than this is checked against Postgres: no view stays wrong longer. Milliseconds. */
export const TRUSTED_UNPERSISTED_MS = 2000

/** Finds orders for those who may see them: views first, rows where a view is missing or in doubt. */
export class OrderReader {
  readonly #options: OrderReaderOptions

  constructor (options: OrderReaderOptions) {
    this.#options = options
  }

  /** @throws OrderError `order_not_found`, also for another user's order; `order_not_visible_yet` */
  async find (orderId: string, caller: Caller): Promise<Answer> {
    const { view, asked, booked = false } = await this.#cached(orderId)
    return answer(this.#shown(view && !booked && this.#isTrusted(view) ? view : await this.#compare(orderId, view), asked, caller), caller)
  }

  /**
   * The higher of row and view, both asked: what a change is built on. With Postgres away the view alone. `hidden`: a newer
   * version may exist.
   * @throws OrderError as `find`
   */
  async latest (orderId: string, caller: Caller): Promise<{ view: OrderView, hidden: boolean }> {
    const { view: cached, asked } = await this.#cached(orderId)
    const view = this.#shown(await this.#compare(orderId, cached), asked, caller)
    return { view, hidden: this.#options.mayBeHidden(asked, Date.parse(view.order.updated_at)) }
  }

  /**
   * A customer's own orders, or for an operator those of all users: persisted ones, newest first. Whose orders an operator asks for
   * by name is recorded before they are shown.
   * @throws OrderError `bad_cursor`, `forbidden`
   */
  async list ({ cursor, ...wanted }: ListQuery, caller: Requester): Promise<Page<OrderForCaller>> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor)
    if (after === null) throw new OrderError('bad_cursor')
    const operator = caller.role === 'operator'
    if (!operator && wanted.user_id !== undefined && wanted.user_id !== caller.user_id) throw new OrderError('forbidden')
    const user_id = operator ? wanted.user_id : caller.user_id
    const rows = await this.#options.orders.list({ ...wanted, user_id, after, limit: wanted.limit + 1 })
    if (user_id !== undefined && user_id !== caller.user_id) await this.#options.actions.record(actionOnUser(actorOf(caller), 'orders.listed_of_user', user_id))
    const { items, next_cursor } = toPage(rows, wanted.limit, encodeCursor)
    return { items: items.map((order) => orderForCaller(order, caller.role)), next_cursor }
  }

  /** What happened to one order, what was only accepted or was rejected too. @throws OrderError as `find`; `bad_cursor` */
  async timeline (orderId: string, { limit, cursor }: { limit: number, cursor?: string | undefined }, caller: Caller): Promise<Page<TimelineEntry>> {
    const after = cursor === undefined ? undefined : decodeTimelineCursor(cursor)
    if (after === null) throw new OrderError('bad_cursor')
    const { view } = await this.latest(orderId, caller)
    const entries = await this.#options.orders.timeline(orderId, view.persisted ? [] : view.taken, { limit: limit + 1, after })
    return toPage(entries, limit, encodeTimelineCursor)
  }

  async #cached (orderId: string): Promise<FoundView> {
    return await this.#options.views?.get(orderId) ?? { view: null, asked: false }
  }

  async #compare (orderId: string, cached: OrderView | null): Promise<OrderView | null> {
    const { views, orders } = this.#options
    try {
      const { view: stored, rejected } = await orders.find(orderId, cached?.event_id ?? null)
      if (stored) await views?.put([{ view: stored, ...(rejected && cached ? { replaces: cached.event_id } : {}) }])
      return rejected ? stored : higher(stored, cached)
    } catch (error) {
      // With Postgres away the view is the best there is to know.
      if (cached) return cached
      throw error
    }
  }

  #isTrusted ({ persisted, order }: OrderView): boolean {
    if (this.#options.views?.inDoubt === true) return false
    // Either way: what an api dated whose clock is ahead must not be believed until then.
    return persisted || Math.abs(Date.now() - Date.parse(order.updated_at)) < TRUSTED_UNPERSISTED_MS
  }

  #shown (view: OrderView | null, asked: boolean, caller: Caller): OrderView {
    // Another user's order is answered as none at all is just now, or the answer would tell that it exists.
    if (!view || (caller.role !== 'operator' && view.order.user_id !== caller.user_id)) {
      throw new OrderError(this.#options.mayBeHidden(asked, null) ? 'order_not_visible_yet' : 'order_not_found')
    }
    return view
  }
}

export function answer ({ order, event_id }: OrderView, { role }: Caller): Answer {
  return { order: orderForCaller(order, role), event_id }
}
