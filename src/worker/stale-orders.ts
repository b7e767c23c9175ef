import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { sweepStale } from '../expiry/sweep.js'
import { logLine } from '../logs/log-line.js'
import { STALE_ORDERS } from '../orders/expiry.js'
import type { Pool } from '../store/database.js'
import { isTransient } from '../store/failures.js'

/** Between two looks, milliseconds: a tenth of what an order may stay unpaid, at most a minute. */
const pauseFor = (staleAfter: number) => Math.min(Math.max(staleAfter * 100, 500), 60_000)

export interface StaleOrdersOptions {
  pool: Pool
  /** Seconds. */
  staleAfter: number
  log: FastifyBaseLogger
  /** Resolves when the tables are there and Postgres answers, or when the signal says to wait no more. */
  storeIsUp (signal: AbortSignal): Promise<void>
}

/** Cancels what stays unpaid for too long, every now and then; every worker does, and none gets in another's way. */
export class StaleOrders {
  readonly #options: StaleOrdersOptions
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()

  constructor (options: StaleOrdersOptions) {
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

  async #run (): Promise<void> {
    const { pool, staleAfter, log, storeIsUp } = this.#options
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await storeIsUp(signal)
      if (signal.aborted) return
      const run = randomUUID()
      try {
        const orders = await sweepStale(pool, { run, staleAfter, by: { actor: STALE_ORDERS, role: null, way: 'rule', request_id: null }, signal })
        if (orders > 0) logLine(log, { event: 'orders_expired', run, orders })
      } catch (err) {
        logLine(log, { event: 'sweep_failed', reason: isTransient(err) ? 'unavailable' : 'defect', err })
      }
      await wait(pauseFor(staleAfter), undefined, { signal }).catch(() => {})
    }
  }
}
