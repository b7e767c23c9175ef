import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { logLine } from '../logs/log-line.js'
import type { Pool } from '../store/database.js'
import { type CursorName, type CursorStatus, cursorStatus, leaseCursor, releaseCursor } from '../store/feed-cursors.js'
import { backOff } from '../time/back-off.js'

/** A holder that is gone is followed after so long at most, and a second. */
const LEASE_MS = 5000
const STANDBY_MS = 1000
const RETRY = { first: 100, longest: 5000 }

export interface LeadershipOptions {
  pool: Pool
  cursor: CursorName
  /** This process, as operators see it; no other has the same. */
  holder: string
  log: FastifyBaseLogger
  /** Resolves when the tables can be read, or when the signal says to wait no more. */
  storeIsUp (signal: AbortSignal): Promise<void>
  leaseMs?: number | undefined
}

/**
 * Tells the feed from its position on, until the signal.
 * @returns the position from which it could not go on, because the cursor is another's, or was rewound; null: it was stopped, or cannot go on
 */
export type Lead = (position: number, signal: AbortSignal) => Promise<number | null>

/** One process at a time leads a cursor, by lease; others stand by. What fails is begun anew from the cursor, with back-off. */
export class Leadership {
  /** Rounds that failed. */
  retried = 0
  /** Whether this process holds the cursor. */
  holds = false
  readonly leaseMs: number
  readonly #options: LeadershipOptions
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #lookedAt = 0

  constructor (options: LeadershipOptions) {
    this.#options = options
    this.leaseMs = options.leaseMs ?? LEASE_MS
  }

  /** @param worthIt whether leading makes sense now */
  start (lead: Lead, worthIt: () => boolean): void {
    this.#running = this.#run(lead, worthIt)
  }

  async stop (): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /** @throws StoreError */
  async status (): Promise<CursorStatus> {
    return (await cursorStatus(this.#options.pool)).find(({ name }) => name === this.#options.cursor)!
  }

  /** While nothing happens this process does not move the cursor, and would not learn that it was rewound: it looks now and then. */
  async isStillOurs (position: number): Promise<boolean> {
    if (performance.now() - this.#lookedAt < this.leaseMs / 3) return true
    this.#lookedAt = performance.now()
    return await this.#lease() === position
  }

  async #run (lead: Lead, worthIt: () => boolean): Promise<void> {
    const { storeIsUp, log, cursor } = this.#options
    const { signal } = this.#stopping
    for (let failures = 0; !signal.aborted;) {
      await storeIsUp(signal)
      if (signal.aborted) break
      let pause = STANDBY_MS
      try {
        if (worthIt()) await this.#round(lead)
        failures = 0
      } catch (error) {
        pause = backOff(failures++, RETRY)
        this.retried++
        if (failures === 1 && !signal.aborted) logLine(log, { event: 'relay_retried', cursor, reason: (error as Error).message, err: error })
      }
      await this.#release()
      await wait(pause, undefined, { signal }).catch(() => {})
    }
  }

  /** From a lease to its end. */
  async #round (lead: Lead): Promise<void> {
    const position = await this.#lease()
    if (position === null) return
    this.holds = true
    const { log, cursor } = this.#options
    logLine(log, { event: 'relay_leading', cursor, position })
    // A window may take long, while the broker is blocked by an alarm.
    const prolong = setInterval(() => { this.#lease().catch(() => {}) }, this.leaseMs / 3)
    try {
      const last = await lead(position, this.#stopping.signal)
      if (last !== null) logLine(log, { event: 'relay_replaced', cursor, position: last, reason: 'cursor_moved' })
    } finally {
      clearInterval(prolong)
    }
  }

  async #lease (): Promise<number | null> {
    const { pool, holder, cursor } = this.#options
    return await leaseCursor(pool, { name: cursor, holder, leaseMs: this.leaseMs })
  }

  async #release (): Promise<void> {
    if (!this.holds) return
    this.holds = false
    await releaseCursor(this.#options.pool, this.#options.cursor, this.#options.holder).catch(() => {}) // its lease runs out
  }
}
