import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Backlog } from '../health/progress.js'
import { logLine } from '../logs/log-line.js'
import { EnvelopeError } from '../orders/envelope.js'
import { AttemptsExhausted, bisect } from '../parking/refusal.js'
import type { Client, Pool } from '../store/database.js'
import { isTransient } from '../store/failures.js'
import { leaseFallback, countFallback, deferredFallback, deleteFallback, lockFallback, type FallbackLease, type FallbackRow, releaseFallback } from '../store/fallback-queue.js'
import { ordersToRevisit, recordedEvents, rejectWaiting } from '../store/order-events.js'
import { lockOrders } from '../store/orders.js'
import { park, type ParkedEvent } from '../store/parked-events.js'
import { backOff } from '../time/back-off.js'
import { type Applied, applyBatch } from './batch.js'
import type { Booking } from './booking.js'
import type { Commits } from './commits.js'

const IDLE_MS = 200
/** Of a round that failed. */
const RETRY = { first: 100, longest: 5000 }
const LARGEST_BATCH = 500
/** After that many attempts without an end a row is parked: it ended a worker each time. */
const MOST_ATTEMPTS = 3
/**
 * From a lease to the lock that its transaction takes on the rows: the holder of the lock needs no lease. What a killed worker
 * had leased is tried again after it.
 */
const LEASE_MS = 3000
/** An event of a newer schema is looked at again after this. */
const NEWER_SCHEMA_MS = 10_000

export interface FallbackSourceOptions {
  pool: Pool
  booking: Booking
  commits: Commits
  log: FastifyBaseLogger
  /** Resolves when the tables are there and Postgres answers, or when the signal says to wait no more. */
  storeIsUp (signal: AbortSignal): Promise<void>
}

/**
 * The worker's second source: events taken while the broker could not, and events of messages that were delivered too often.
 * A row's attempt is counted and committed before it is tried, so that an event that ends the worker is found out, tried
 * alone and parked. Each batch is applied in the same transaction that deletes its rows. It also tries again the orders whose
 * waiting events lost sight of a base that another worker booked at the same moment.
 */
export class FallbackSource {
  /** Rounds that failed and were tried again, since the start. */
  retried = 0
  readonly #options: FallbackSourceOptions
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  /** Leases that Postgres could not be told to end: told as soon as it answers, for their attempts must not count. */
  #unreleased: number[] = []
  #progressAt = performance.now()

  constructor (options: FallbackSourceOptions) {
    this.#options = options
  }

  start (): void {
    this.#running = this.#run()
  }

  /** Resolves when the batch under way is through. */
  async stop (): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /** What is there to be worked off, and since when no round ended well. @throws StoreError */
  async backlog (): Promise<Backlog> {
    return { ready: await this.left(), unsettled: 0, idleMs: performance.now() - this.#progressAt, deferred: await deferredFallback(this.#options.pool) }
  }

  async #run (): Promise<void> {
    const { signal } = this.#stopping
    for (let failures = 0; !signal.aborted;) {
      let pause = 0
      await this.#options.storeIsUp(signal)
      if (signal.aborted) return
      try {
        pause = await this.drainOnce() === 0 ? IDLE_MS : 0
        failures = 0
      } catch (error) {
        pause = backOff(failures++, RETRY)
        this.retried++
        if (failures === 1) logLine(this.#options.log, { event: 'fallback_retried', source: 'fallback', reason: (error as Error).message, err: error })
      }
      if (pause > 0) await wait(pause, undefined, { signal }).catch(() => {})
    }
  }

  /** Applies the oldest rows that are due, then what was waiting. @returns how many it took @throws StoreError `unavailable` */
  async drainOnce (): Promise<number> {
    const { pool } = this.#options
    if (this.#unreleased.length > 0) await this.#release(this.#unreleased.splice(0))
    const leases = await leaseFallback(pool, LARGEST_BATCH, LEASE_MS)
    try {
      await this.#try(leases)
    } catch (error) {
      if (isTransient(error)) await this.#release(idsOf(leases)).catch(() => {})
      throw error
    }
    const taken = leases.length + await this.#revisit()
    this.#progressAt = performance.now()
    return taken
  }

  /** Rows still to be worked off, those leased by a worker that is gone included. @throws StoreError */
  async left (): Promise<number> {
    return await countFallback(this.#options.pool)
  }

  /** The attempt ends without a verdict on these rows: it does not count. Those that are gone or settled are passed over. */
  async #release (ids: readonly number[]): Promise<void> {
    await releaseFallback(this.#options.pool, ids).catch((error: unknown) => {
      this.#unreleased.push(...ids)
      throw error
    })
  }

  async #try (leases: readonly FallbackLease[]): Promise<void> {
    const [first] = leases
    if (first && first.attempts > MOST_ATTEMPTS) return await this.#refuse(first, new AttemptsExhausted())
    await bisect(leases, async (some) => {
      const line = { source: 'fallback', batch_size: some.length, ...(first!.attempts > 1 ? { attempt: first!.attempts } : {}) } as const
      await this.#options.commits.run(async (client) => await this.#apply(client, await lockFallback(client, idsOf(some))), line, some)
    }, async (one, error) => await this.#refuse(one, error))
  }

  async #apply (client: Client, rows: readonly FallbackRow[]): Promise<Applied | null> {
    if (rows.length === 0) return null
    const done: FallbackRow[] = []
    const later: FallbackRow[] = []
    const parked: ParkedEvent[] = []
    for (const row of rows) {
      if (row.event instanceof EnvelopeError && row.event.code === 'newer_schema') later.push(row)
      else done.push(row)
      if (row.event instanceof EnvelopeError && row.event.code === 'malformed') parked.push(unreadableRow(row, row.event))
    }
    await park(client, parked)
    const applied = await applyBatch(client, done.flatMap(({ event }) => event instanceof EnvelopeError ? [] : [event]))
    await deleteFallback(client, idsOf(done))
    if (later.length > 0) await releaseFallback(client, idsOf(later), NEWER_SCHEMA_MS)
    return { ...applied, parked }
  }

  async #refuse ({ fallback_id, attempts }: FallbackLease, error: unknown): Promise<void> {
    const [row] = await lockFallback(this.#options.pool, [fallback_id])
    if (!row) return // another worker has it, because the lease ran out
    const { event, raw } = row
    const settle = async (client: Client) => await deleteFallback(client, [fallback_id]) > 0
    if (!(event instanceof EnvelopeError)) return await this.#options.booking.refuse({ event, raw }, error, { source: 'fallback', attempts }, settle)
    if (event.code === 'newer_schema') return await releaseFallback(this.#options.pool, [fallback_id], NEWER_SCHEMA_MS)
    await this.#options.booking.park([unreadableRow(row, event)])
    await deleteFallback(this.#options.pool, [fallback_id])
  }

  async #revisit (): Promise<number> {
    const orders = await ordersToRevisit(this.#options.pool, LARGEST_BATCH)
    await bisect(orders, async (some) => await this.#options.commits.run(async (client) => await applyBatch(client, [], some), { source: 'waiting' }),
      async (orderId, error) => await this.#refuseWaiting(orderId, error))
    return orders.length
  }

  /** All that waits in an order over which this build fails: nothing tells which of them it is. */
  async #refuseWaiting (orderId: string, error: unknown): Promise<void> {
    const { waiting } = await recordedEvents(this.#options.pool, [], [orderId])
    for (const event of waiting) {
      const raw = () => Buffer.from(JSON.stringify(event))
      await this.#options.booking.refuse({ event, raw }, error, { source: 'fallback', batch: 'waiting', attempts: 1 }, async (client, reason) => {
        await lockOrders(client, [orderId])
        return await rejectWaiting(client, event.event_id, reason)
      })
    }
  }
}

function unreadableRow ({ attempts, raw }: FallbackRow, { message, cause }: EnvelopeError): ParkedEvent {
  return { source: 'fallback', reason: message, attempts, headers: {}, raw: raw(), cause }
}

function idsOf (rows: ReadonlyArray<{ fallback_id: number }>): number[] {
  return rows.map(({ fallback_id }) => fallback_id)
}
