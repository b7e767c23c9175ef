import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { EnvelopeError } from '../orders/envelope.js'
import type { Client } from '../store/database.js'
import { ordersToRevisit, type RefusalReason } from '../store/order-events.js'
import { claimOutbox, countOutbox, deleteOutbox, lockOutbox, type OutboxClaim, type OutboxRow, releaseOutbox } from '../store/outbox.js'
import { park, type ParkedEvent } from '../store/parked-events.js'
import { type Applied, applyBatch } from './batch.js'
import type { Booking } from './booking.js'
import type { Backlog } from './consumer.js'
import { backOff, isPassing, refusalReason, split } from './verdicts.js'

const IDLE_MS = 200
const LARGEST_BATCH = 500
/** After that many attempts without an end a row is parked: it ended a worker each time. */
const MOST_ATTEMPTS = 3
/**
 * From a claim to the lock that its transaction takes on the rows: whoever holds the lock needs no lease. What a killed worker
 * had claimed is tried again after it.
 */
const LEASE_MS = 3000
/** An event of a newer schema is looked at again after this: workers are deployed before apis. */
const NEWER_SCHEMA_MS = 10_000

/**
 * The worker's second source: events taken while the broker could not, and events of messages that were delivered too often.
 * A row's attempt is counted and committed before it is tried, so that an event that ends the worker is found out, tried
 * alone and parked. Each batch is applied in the same transaction that deletes its rows. It also tries again the orders whose
 * waiting events lost sight of a base that another worker booked at the same moment.
 */
export class OutboxSource {
  /** Rounds that failed and were tried again, since the start. */
  retried = 0
  readonly #booking: Booking
  readonly #log: FastifyBaseLogger
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  /** Claims that Postgres could not be told to end: told as soon as it answers, for their attempts must not count. */
  #unreleased: number[] = []
  #progressAt = performance.now()

  constructor (booking: Booking, log: FastifyBaseLogger) {
    this.#booking = booking
    this.#log = log
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
    return { ready: await this.left(), unsettled: 0, idleMs: performance.now() - this.#progressAt }
  }

  async #run (): Promise<void> {
    const { signal } = this.#stopping
    for (let failures = 0; !signal.aborted;) {
      let pause = 0
      await this.#booking.storeIsUp(signal)
      if (signal.aborted) return
      try {
        pause = await this.drainOnce() === 0 ? IDLE_MS : 0
        failures = 0
      } catch (error) {
        pause = backOff(failures++)
        this.retried++
        if (failures === 1) this.#log.warn({ err: error, source: 'outbox', reason: (error as Error).message }, 'the outbox cannot be read or booked: nothing of it is lost, it is tried again; when it lasts, look at what Postgres says')
      }
      if (pause > 0) await wait(pause, undefined, { signal }).catch(() => {})
    }
  }

  /** Applies the oldest rows that are due, then what was waiting. @returns how many it took @throws StoreError `unavailable` */
  async drainOnce (): Promise<number> {
    const { pool } = this.#booking
    if (this.#unreleased.length > 0) await this.#release(this.#unreleased.splice(0))
    const claims = await claimOutbox(pool, LARGEST_BATCH, LEASE_MS)
    try {
      await this.#try(claims)
    } catch (error) {
      await this.#release(claims.map(({ outbox_id }) => outbox_id)).catch(() => {})
      throw error
    }
    const taken = claims.length + await this.#revisit()
    this.#progressAt = performance.now()
    return taken
  }

  /** Rows still to be worked off, those claimed by a worker that is gone included. @throws StoreError */
  async left (): Promise<number> {
    return await countOutbox(this.#booking.pool)
  }

  /** The attempt ends without a verdict on these rows: it does not count. Those that are gone or settled are passed over. */
  async #release (ids: readonly number[]): Promise<void> {
    await releaseOutbox(this.#booking.pool, ids).catch((error: unknown) => {
      this.#unreleased.push(...ids)
      throw error
    })
  }

  /** Applies all or, where one spoils the batch, each half by itself; the one that stands alone is refused. */
  async #try (claims: readonly OutboxClaim[]): Promise<void> {
    if (claims.length === 0) return
    const [first] = claims
    if (first!.attempts > MOST_ATTEMPTS) return await this.#refuse(first!, 'attempts_exhausted')
    try {
      await this.#booking.commit(async (client) => await this.#apply(client, await lockOutbox(client, idsOf(claims))), { source: 'outbox', batch_size: claims.length, ...(first!.attempts > 1 ? { attempt: first!.attempts } : {}) }, claims)
    } catch (error) {
      if (isPassing(error)) throw error
      if (claims.length === 1) return await this.#refuse(first!, refusalReason(error))
      for (const half of split(claims)) await this.#try(half)
    }
  }

  async #apply (client: Client, rows: readonly OutboxRow[]): Promise<Applied | null> {
    if (rows.length === 0) return null
    const done: OutboxRow[] = []
    const later: OutboxRow[] = []
    const parked: ParkedEvent[] = []
    for (const row of rows) {
      if (row.event instanceof EnvelopeError && row.event.code === 'newer_schema') later.push(row)
      else done.push(row)
      if (row.event instanceof EnvelopeError && row.event.code === 'malformed') {
        parked.push({ source: 'outbox', reason: row.event.message, attempts: row.attempts, headers: {}, raw: row.raw })
      }
    }
    await park(client, parked)
    const applied = await applyBatch(client, done.flatMap(({ event }) => event instanceof EnvelopeError ? [] : [event]))
    await deleteOutbox(client, idsOf(done))
    if (later.length > 0) await releaseOutbox(client, idsOf(later), NEWER_SCHEMA_MS)
    return { ...applied, parked }
  }

  async #refuse (claim: OutboxClaim, reason: RefusalReason): Promise<void> {
    const { outbox_id, attempts } = claim
    await this.#booking.commit(async (client) => {
      const [row] = await lockOutbox(client, [outbox_id])
      if (!row || row.event instanceof EnvelopeError) return null
      const applied = await this.#booking.refuse(client, row.event, reason, { source: 'outbox', attempts })
      await deleteOutbox(client, [outbox_id])
      return applied
    }, { source: 'outbox', batch_size: 1 }, [claim])
  }

  async #revisit (): Promise<number> {
    let revisited = 0
    await this.#booking.commit(async (client) => {
      const orders = await ordersToRevisit(client, LARGEST_BATCH)
      revisited = orders.length
      return revisited === 0 ? null : await applyBatch(client, [], orders)
    }, { source: 'waiting' })
    return revisited
  }
}

function idsOf (rows: ReadonlyArray<{ outbox_id: number }>): number[] {
  return rows.map(({ outbox_id }) => outbox_id)
}
