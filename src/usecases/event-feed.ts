import type { FeedSelection, Happening } from '../orders/feed-event.js'
import { OrderError } from '../orders/errors.js'
import type { Caller } from '../users/roles.js'
import type { OrderReader } from './order-reader.js'
import type { FeedEndsPort } from './ports.js'

export interface FeedRequest {
  /** A position, or `now`; missing: from the beginning. */
  after?: string | undefined
  order_id?: string | undefined
  happenings?: ReadonlySet<Happening> | undefined
}

/** What one caller may be told of the feed, and from where on. */
export interface FeedReading {
  after: number
  selection: FeedSelection
}

/** Who is told what: a customer what happened to their own orders, an operator everything. */
export class EventFeed {
  readonly #reader: Pick<OrderReader, 'find'>
  readonly #ends: FeedEndsPort

  constructor (reader: Pick<OrderReader, 'find'>, ends: FeedEndsPort) {
    this.#reader = reader
    this.#ends = ends
  }

  /** @throws OrderError `order_not_found`, also for another user's order; `bad_cursor` for a position that was never drawn. StoreError */
  async begin ({ after = '0', order_id, happenings }: FeedRequest, caller: Caller): Promise<FeedReading> {
    if (order_id !== undefined) await this.#reader.find(order_id, caller)
    const user_id = caller.role === 'operator' ? undefined : caller.user_id
    return { after: await this.#positionOf(after), selection: { user_id, order_id, happenings } }
  }

  async #positionOf (after: string): Promise<number> {
    if (after === 'now') return await this.#ends.end()
    const position = Number(after)
    // Tables that were restored from a backup begin anew below it: whoever waited there would miss all until then.
    if (position > 0 && position > await this.#ends.highest()) throw new OrderError('bad_cursor')
    return position
  }
}
