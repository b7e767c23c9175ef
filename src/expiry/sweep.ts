import { serializeEvent } from '../orders/envelope.js'
import { expireOrder } from '../orders/expiry.js'
import type { PageEnd } from '../orders/page.js'
import { recordAction } from '../store/actions.js'
import { inTransaction, type Pool } from '../store/database.js'
import { insertFallback } from '../store/fallback-queue.js'
import { staleOrders } from '../store/orders.js'
import type { Actor } from '../users/actions.js'

const BATCH = 100
/** Orders a run: what is left is for the next one. */
export const MOST_EXPIRED = 1000

export interface Sweep {
  /** Names the run: the request_id of its events, and what its action is about. */
  run: string
  /** Seconds without a change after which an unpaid order is stale. */
  staleAfter: number
  by: Actor
  /** Ends it between two batches. */
  signal?: AbortSignal
}

/**
 * Has stale orders cancelled: by events in the fallback queue, a batch a transaction, which workers book as any change. Safe to
 * repeat, to kill and to run several times at once.
 * @returns how many events there were to hand over, those that another sweep had handed over included @throws StoreError `unavailable`
 */
export async function sweepStale (pool: Pool, { run, staleAfter, by, signal }: Sweep): Promise<number> {
  let [expired, behind]: [number, PageEnd | undefined] = [0, undefined]
  while (expired < MOST_EXPIRED && signal?.aborted !== true) {
    const found = await inTransaction(pool, async (client) => {
      const { views, now } = await staleOrders(client, { staleAfter, behind, limit: BATCH })
      if (views.length === 0) return []
      await insertFallback(client, views.map((view) => serializeEvent(expireOrder(view, { now, run }))))
      if (expired === 0) await recordAction(client, { ...by, action: 'orders.expired', target_kind: 'sweep', target_id: run })
      return views
    })
    expired += found.length
    const last = found.at(-1)
    if (last === undefined || found.length < BATCH) break
    behind = last.order
  }
  return expired
}
