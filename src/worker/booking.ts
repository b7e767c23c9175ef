import type { FastifyBaseLogger } from 'fastify'
import type { OrderViews } from '../cache/order-views.js'
import type { ViewToPut } from '../cache/view-to-put.js'
import { seal } from '../orders/envelope.js'
import type { OrderEvent } from '../orders/event.js'
import { type Client, inTransaction, type Pool } from '../store/database.js'
import { recordEvents, type RefusalReason } from '../store/order-events.js'
import { isTransient } from '../store/failures.js'
import { lockOrders } from '../store/orders.js'
import { insertOutbox } from '../store/outbox.js'
import { park, type ParkedEvent } from '../store/parked-events.js'
import type { TracedEvent, Traces } from '../tracing/traces.js'
import { type Applied, applyBatch } from './batch.js'
import { type BatchLine, tellBatch, tellParked } from './batch-lines.js'
import { bisect, refusalReason } from './verdicts.js'

/** An order event as it was taken from its source. */
export interface TakenEvent {
  event: OrderEvent
  /** Its own bytes, as they came. */
  raw (): Buffer
}

/** Where a refused event was taken from: as the parking lot names it, and the batch's line where that is another. */
export interface RefusedFrom {
  source: 'queue' | 'outbox'
  attempts: number
  batch?: 'waiting'
}

export interface BookingOptions {
  pool: Pool
  views: OrderViews | null
  log: FastifyBaseLogger
  /** Resolves when the tables are there and Postgres answers, or when the signal says to wait no more. */
  storeIsUp (signal: AbortSignal): Promise<void>
  /** null: traces are off */
  traces: Traces | null
  /** Told of every committed batch and how long its transaction took, milliseconds, before anybody else learns of it. */
  onBooked? (applied: Applied, ms: number): void
  /** Told of what is parked, once that is committed. */
  onParked? (parked: readonly ParkedEvent[]): void
}

/**
 * Books batches of order events: one transaction each, then the views, then the log. Whoever calls acks only after it
 * resolves; a crash anywhere repeats the batch harmlessly.
 */
export class Booking {
  readonly #options: BookingOptions

  constructor (options: BookingOptions) {
    this.#options = options
  }

  get pool (): Pool {
    return this.#options.pool
  }

  async storeIsUp (signal: AbortSignal): Promise<void> {
    await this.#options.storeIsUp(signal)
  }

  /**
   * Books these events in one transaction. One that can never be applied does not take the others down: it is found, recorded as
   * rejected and parked.
   * @throws StoreError `unavailable`: nothing is lost, the same call may succeed later
   */
  async book (taken: readonly TakenEvent[], source: 'queue' | 'outbox'): Promise<void> {
    await bisect(taken, async (some) => {
      const events = some.map(({ event }) => event)
      await this.commit(async (client) => await applyBatch(client, events), { source, batch_size: events.length }, events)
    }, async (one, error) => await this.refuse(one, error, { source, attempts: 1 }))
  }

  /** Runs one batch's work to its commit, then tells what it came to. @param events whose traces it belongs to */
  async commit (work: (client: Client) => Promise<Applied | null>, line: BatchLine, events: readonly TracedEvent[] = []): Promise<void> {
    const { traces } = this.#options
    if (traces === null || events.length === 0) await this.#commit(work, line)
    else await traces.batch(line.source, events, async () => await this.#commit(work, line))
  }

  async #commit (work: (client: Client) => Promise<Applied | null>, line: BatchLine): Promise<void> {
    const started = performance.now()
    const applied = await inTransaction(this.#options.pool, work)
    if (applied) await this.#tell(applied, line, started)
  }

  /** Never throws: what is committed must not be taken for what failed. */
  async #tell (applied: Applied, line: BatchLine, started: number): Promise<void> {
    const { log, views } = this.#options
    try {
      this.#options.onBooked?.(applied, performance.now() - started)
      this.#options.onParked?.(applied.parked ?? [])
      await views?.put(applied.views)
      tellBatch(log, applied, line, performance.now() - started)
    } catch (err) {
      log.error({ err, source: line.source, reason: 'defect' }, 'a batch was committed, but not all was told of it: its orders are booked; err says where in the code to look')
    }
  }

  /**
   * Ends an event that can never be applied: recorded as rejected, for its reader, and parked, for the operator. Where even that
   * cannot be stored, its bytes and the reason are.
   * @param settle ends what it was taken from, in the same transaction; false: somebody else ended it
   */
  async refuse (one: TakenEvent, error: unknown, from: RefusedFrom, settle: (client: Client, reason: RefusalReason) => Promise<boolean> = async () => true): Promise<void> {
    const { event } = one
    const reason = refusalReason(error)
    const cause = reason === 'defect' ? error : undefined
    const line = { source: from.batch ?? from.source, batch_size: 1 } as const
    const commit = async (record: (client: Client) => Promise<Applied>) =>
      await this.commit(async (client) => await settle(client, reason) ? await record(client) : null, line, [event])
    try {
      await commit(async (client) => {
        await recordEvents(client, [{ event, outcome: 'rejected', reason }])
        const parked = [{ source: from.source, attempts: from.attempts, reason, headers: {}, raw: Buffer.from(seal(event).json), event, cause }]
        await park(client, parked)
        return { decisions: [], duplicates: 0, refused: 1, views: await this.#viewsInstead(client, event, reason), parked }
      })
    } catch (again) {
      if (isTransient(again)) throw again
      await commit(async (client) => {
        const parked = [{ source: from.source, attempts: from.attempts, reason, headers: {}, raw: one.raw(), cause: cause ?? again }]
        await park(client, parked)
        return { decisions: [], duplicates: 0, refused: 1, views: [], parked }
      })
    }
  }

  /** A placement that is refused shows as rejected; a change that is refused gives way to the row. */
  async #viewsInstead (client: Client, { event_id, base, order }: OrderEvent, reason: string): Promise<ViewToPut[]> {
    if (base === null) return [{ view: { order: { ...order, status: 'rejected', reason }, event_id, persisted: true }, replaces: event_id }]
    const row = (await lockOrders(client, [order.order_id])).get(order.order_id)
    return row ? [{ view: row, replaces: event_id }] : []
  }

  /** Gives events to the outbox, where each may be tried alone. @throws StoreError `unavailable` */
  async unpack (taken: readonly TakenEvent[]): Promise<void> {
    await bisect(taken, async (some) => await insertOutbox(this.#options.pool, some.map(({ event }) => event)),
      async (one, error) => await this.refuse(one, error, { source: 'queue', attempts: 1 }))
  }

  /** What is no order event at all: kept as it came, without its headers where they cannot be stored. @throws StoreError `unavailable` */
  async park (parked: readonly ParkedEvent[]): Promise<void> {
    await bisect(parked, async (some) => await this.#park(some), async (one) => await this.#park([{ ...one, headers: {} }]))
  }

  async #park (parked: readonly ParkedEvent[]): Promise<void> {
    await inTransaction(this.#options.pool, async (client) => await park(client, parked))
    this.#options.onParked?.(parked)
    tellParked(this.#options.log, parked)
  }
}
