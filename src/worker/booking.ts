import type { FastifyBaseLogger } from 'fastify'
import type { OrderViews, ViewToPut } from '../cache/order-views.js'
import { seal } from '../orders/envelope.js'
import type { OrderEvent } from '../orders/event.js'
import { type Client, inTransaction, type Pool } from '../store/database.js'
import { recordEvents, type RefusalReason } from '../store/order-events.js'
import { lockOrders } from '../store/orders.js'
import { insertOutbox } from '../store/outbox.js'
import { park, type ParkedEvent } from '../store/parked-events.js'
import type { TracedEvent, Traces } from '../tracing/traces.js'
import { type Applied, applyBatch } from './batch.js'
import { type BatchLine, tellBatch, tellParked } from './batch-lines.js'
import { isPassing, refusalReason, split } from './verdicts.js'

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
   * Books these events in one transaction. One that can never be stored does not take the others down: the batch is split
   * until it stands alone, then it is recorded as rejected and parked.
   * @throws StoreError `unavailable`: nothing is lost, the same call may succeed later
   */
  async book (events: readonly OrderEvent[], source: 'queue' | 'outbox'): Promise<void> {
    if (events.length === 0) return
    try {
      await this.commit(async (client) => await applyBatch(client, events), { source, batch_size: events.length }, events)
    } catch (error) {
      if (isPassing(error)) throw error
      if (events.length === 1) return await this.commit(async (client) => await this.refuse(client, events[0]!, refusalReason(error), { source, attempts: 1 }), { source, batch_size: 1 }, events)
      for (const half of split(events)) await this.book(half, source)
    }
  }

  /** Runs one batch's work to its commit, then shows and logs what it came to. @param events whose traces it belongs to */
  async commit (work: (client: Client) => Promise<Applied | null>, line: BatchLine, events: readonly TracedEvent[] = []): Promise<void> {
    const { traces } = this.#options
    if (traces === null || events.length === 0) await this.#commit(work, line)
    else await traces.batch(line.source, events, async () => await this.#commit(work, line))
  }

  async #commit (work: (client: Client) => Promise<Applied | null>, line: BatchLine): Promise<void> {
    const started = performance.now()
    const applied = await inTransaction(this.#options.pool, work)
    if (!applied) return
    this.#options.onBooked?.(applied, performance.now() - started)
    this.#options.onParked?.(applied.parked ?? [])
    await this.#show(applied.views)
    tellBatch(this.#options.log, applied, line, performance.now() - started)
  }

  /** Records an event that can never be applied as rejected, for its reader, and parks its bytes, for the operator. */
  async refuse (client: Client, event: OrderEvent, reason: RefusalReason, from: Pick<ParkedEvent, 'source' | 'attempts'>): Promise<Applied> {
    await recordEvents(client, [{ event, outcome: 'rejected', reason }])
    const parked = [{ ...from, reason, headers: {}, raw: Buffer.from(seal(event).json), event }]
    await park(client, parked)
    return { decisions: [], duplicates: 0, refused: 1, views: await this.#viewsInstead(client, event, reason), parked }
  }

  /** A placement that is refused shows as rejected; a change that is refused gives way to the row. */
  async #viewsInstead (client: Client, { event_id, base, order }: OrderEvent, reason: string): Promise<ViewToPut[]> {
    if (base === null) return [{ view: { order: { ...order, status: 'rejected', reason }, event_id, persisted: true }, replaces: event_id }]
    const row = (await lockOrders(client, [order.order_id])).get(order.order_id)
    return row ? [{ view: row, replaces: event_id }] : []
  }

  /** Gives events to the outbox, where each may be tried alone. @throws StoreError */
  async unpack (events: readonly OrderEvent[]): Promise<void> {
    if (events.length > 0) await insertOutbox(this.#options.pool, events)
  }

  /** What is no order event at all: kept as it came. @throws StoreError */
  async park (parked: readonly ParkedEvent[]): Promise<void> {
    if (parked.length === 0) return
    await inTransaction(this.#options.pool, async (client) => await park(client, parked))
    this.#options.onParked?.(parked)
    tellParked(this.#options.log, parked)
  }

  async #show (views: readonly ViewToPut[]): Promise<void> {
    await this.#options.views?.put(views)
  }
}
