import type { ViewToPut } from '../cache/view-to-put.js'
import { serializeEvent } from '../orders/envelope.js'
import type { OrderEvent } from '../orders/event.js'
import { parkAll, refuseBytes, refuseEvent, type TakenEvent } from '../parking/park.js'
import { bisect, refusalReason } from '../parking/refusal.js'
import type { Client, Pool } from '../store/database.js'
import { isTransient } from '../store/failures.js'
import { insertFallback, type StoredEvent } from '../store/fallback-queue.js'
import type { RefusalReason } from '../store/order-events.js'
import { lockOrders } from '../store/orders.js'
import type { ParkedEvent } from '../store/parked-events.js'
import { type Applied, applyBatch, placePlain, setApart } from './batch.js'
import type { Commits } from './commits.js'

/** Where a refused event was taken from: as the parking lot names it, and the batch's line where that is another. */
export interface RefusedFrom {
  source: 'queue' | 'fallback'
  attempts: number
  batch?: 'waiting'
}

/**
 * Books batches of order events, each commit followed by its followers. The caller acks only after it resolves; a crash anywhere
 * repeats the batch harmlessly.
 */
export class Booking {
  readonly #pool: Pool
  readonly #commits: Commits

  constructor (pool: Pool, commits: Commits) {
    this.#pool = pool
    this.#commits = commits
  }

  /**
   * Books these events: plain placements in one statement, and whatever does not go that way (changes, duplicates, rivals) in a
   * transaction behind it. One that can never be applied does not take the others down: it is found, recorded as rejected and parked.
   * @throws StoreError `unavailable`: nothing is lost, the same call may succeed later
   */
  async book (taken: readonly TakenEvent[], source: 'queue' | 'fallback'): Promise<void> {
    await bisect(taken, async (some) => {
      const { plain, rest } = setApart(some.map(({ event }) => event))
      const left = plain.length === 0 ? rest : [...await this.#place(plain, source), ...rest]
      if (left.length > 0) await this.#commits.run(async (client) => await applyBatch(client, left), { source, batch_size: left.length }, left)
    }, async (one, error) => await this.refuse(one, error, { source, attempts: 1 }))
  }

  /** @returns those whose orders had a row before: nothing is decided about them */
  async #place (plain: readonly OrderEvent[], source: RefusedFrom['source']): Promise<readonly OrderEvent[]> {
    let left: readonly OrderEvent[] = []
    await this.#commits.runStatement(async (client) => {
      const placed = await placePlain(client, plain)
      left = placed.left
      return placed.applied
    }, { source, batch_size: plain.length }, plain)
    return left
  }

  /**
   * Ends an event that can never be applied: recorded as rejected and parked; where even that cannot be stored, its bytes are.
   * @param settle ends what it was taken from, in the same transaction; false: another worker ended it
   * @throws StoreError `unavailable`
   */
  async refuse (taken: TakenEvent, error: unknown, { source, attempts, batch }: RefusedFrom, settle: (client: Client, reason: RefusalReason) => Promise<boolean> = async () => true): Promise<void> {
    const { event } = taken
    const reason = refusalReason(error)
    const refusal = { reason, source, attempts, ...(reason === 'defect' ? { cause: error } : {}) }
    const commit = async (record: (client: Client) => Promise<Applied>) =>
      await this.#commits.run(async (client) => await settle(client, reason) ? await record(client) : null, { source: batch ?? source, batch_size: 1 }, [event])
    try {
      await commit(async (client) => {
        const views = await viewsInstead(client, event, reason) // locks the order, which none may wait for who holds the feed
        return refused(await refuseEvent(client, taken, refusal), views)
      })
    } catch (again) {
      if (isTransient(again)) throw again
      await commit(async (client) => refused(await refuseBytes(client, taken, { cause: again, ...refusal }), []))
    }
  }

  /** Hands events to the fallback queue, where each may be tried alone. @throws StoreError `unavailable` */
  async unpack (taken: readonly TakenEvent[]): Promise<void> {
    await bisect(taken, async (some) => await insertFallback(this.#pool, some.map(({ event }) => serializeEvent(event))),
      async (one, error) => await this.refuse(one, error, { source: 'queue', attempts: 1 }))
  }

  /** Hands events that a newer worker can read to the fallback queue; what cannot even be stored is parked. @throws StoreError `unavailable` */
  async defer (newer: readonly StoredEvent[]): Promise<void> {
    await bisect(newer, async (some) => await insertFallback(this.#pool, some),
      async ({ json }, error) => await this.park([{ source: 'queue', reason: refusalReason(error), attempts: 1, headers: {}, raw: Buffer.from(json) }]))
  }

  /** What is no order event at all: kept as it came. @throws StoreError `unavailable` */
  async park (parked: readonly ParkedEvent[]): Promise<void> {
    await parkAll(this.#pool, parked, async (some) => await this.#commits.inform({ decisions: [], duplicates: 0, views: [], parked: some }, null, 0))
  }
}

function refused (parked: ParkedEvent, views: ViewToPut[]): Applied {
  return { decisions: [], duplicates: 0, refused: 1, views, parked: [parked] }
}

/** A placement that is refused shows as rejected; a change that is refused gives way to the row. */
async function viewsInstead (client: Client, { event_id, base, order }: OrderEvent, reason: string): Promise<ViewToPut[]> {
  if (base === null) return [{ view: { order: { ...order, status: 'rejected', reason }, event_id, persisted: true }, replaces: event_id }]
  const row = (await lockOrders(client, [order.order_id])).get(order.order_id)
  return row ? [{ view: row, replaces: event_id }] : []
}
