import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { EnvelopeError } from '../orders/envelope.js'
import type { Client } from '../store/database.js'
import { ordersToRevisit } from '../store/order-events.js'
import { deleteOutbox, lockOutbox, type OutboxRow } from '../store/outbox.js'
import { type Applied, applyBatch } from './batch.js'
import type { Booking } from './booking.js'
import { backOff, isPassing } from './verdicts.js'

const IDLE_MS = 200
const LARGEST_BATCH = 500

/**
 * The worker's second source: events taken while the broker could not. Each batch is applied in the same transaction that
 * deletes its rows; rows that another worker holds are skipped. It also tries again the orders whose waiting events lost
 * sight of a base that another worker booked at the same moment.
 */
export class OutboxSource {
  readonly #booking: Booking
  readonly #log: FastifyBaseLogger
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  /** Halved when a row spoils a batch, until that row stands alone. */
  #limit = LARGEST_BATCH

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
        if (failures === 1) this.#log.warn({ err: error, source: 'outbox' }, 'the outbox cannot be read: trying again')
      }
      if (pause > 0) await wait(pause, undefined, { signal }).catch(() => {})
    }
  }

  /** Applies the oldest rows, then what was waiting. @returns how many it took @throws StoreError `unavailable` */
  async drainOnce (): Promise<number> {
    let taken = 0
    try {
      await this.#booking.commit(async (client) => {
        const rows = await lockOutbox(client, this.#limit)
        taken = rows.length
        return taken === 0 ? null : await this.#apply(client, rows)
      }, { source: 'outbox' })
      this.#limit = Math.min(this.#limit * 2, LARGEST_BATCH)
    } catch (error) {
      if (isPassing(error)) throw error
      if (this.#limit > 1) this.#limit = Math.ceil(this.#limit / 2)
      else await this.#refuseOldest(error)
      return 1
    }
    return taken + await this.#revisit()
  }

  async #apply (client: Client, rows: readonly OutboxRow[]): Promise<Applied> {
    const done: OutboxRow[] = []
    for (const row of rows) {
      if (!(row.event instanceof EnvelopeError)) done.push(row)
      // An event of a newer schema stays where it is: workers are deployed before apis.
      else if (row.event.code === 'malformed') {
        await this.#booking.parkIn(client, { source: 'outbox', reason: row.event.message, attempts: 1, headers: {}, raw: row.raw })
        done.push(row)
      }
    }
    const applied = await applyBatch(client, done.flatMap(({ event }) => event instanceof EnvelopeError ? [] : [event]))
    await deleteOutbox(client, done.map(({ outbox_id }) => outbox_id))
    return applied
  }

  async #refuseOldest (cause: unknown): Promise<void> {
    await this.#booking.commit(async (client) => {
      const [row] = await lockOutbox(client, 1)
      if (!row || row.event instanceof EnvelopeError) return null
      const applied = await this.#booking.refuse(client, row.event, cause, 'outbox')
      await deleteOutbox(client, [row.outbox_id])
      return applied
    }, { source: 'outbox', batch_size: 1 })
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
