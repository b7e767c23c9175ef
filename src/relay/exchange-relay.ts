import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { EventPublisher } from '../broker/event-publisher.js'
import type { Backlog } from '../health/progress.js'
import { logLine } from '../logs/log-line.js'
import type { FeedEvent } from '../orders/feed-event.js'
import type { Pool } from '../store/database.js'
import { readFeedOn } from '../store/feed.js'
import { type CursorStatus, cursorStatus, leaseCursor, moveCursor, releaseCursor } from '../store/feed-cursors.js'
import { backOff } from '../time/back-off.js'
import { messageOf } from './message.js'

const NAME = 'exchange'
/** A holder that is gone is followed after so long at most, and a second. */
const LEASE_MS = 5000
const STANDBY_MS = 1000
/** Between two looks at the feed: while something happens, and while nothing does. */
const BUSY_MS = 10
const IDLE_MS = 50
/** Events published before their confirms are awaited. */
const WINDOW = 500
const RETRY = { first: 100, longest: 5000 }

export interface ExchangeRelayOptions {
  pool: Pool
  publisher: Pick<EventPublisher, 'open' | 'publish' | 'abandon'>
  /** This process, as operators see it; no other has the same. */
  holder: string
  log: FastifyBaseLogger
  /** Resolves when the tables can be read, or when the signal says to wait no more. */
  storeIsUp (signal: AbortSignal): Promise<void>
  /** Told of each window: how many events, and how long their confirms took, milliseconds. */
  onTold? (events: number, ms: number): void
  leaseMs?: number
}

/**
 * Tells the exchange what stands in the feed, from its cursor on: a window is published, and the cursor moves behind its confirms.
 * One relay does so at a time, by lease; a window whose fate is unknown is published again. A broker that is away or blocked stops
 * this and nothing else.
 */
export class ExchangeRelay {
  /** Events told since the start, and rounds that failed. */
  told = 0
  retried = 0
  /** Whether this process holds the cursor. */
  holds = false
  readonly #options: Required<ExchangeRelayOptions>
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #toldAt = performance.now()
  #lookedAt = 0

  constructor (options: ExchangeRelayOptions) {
    this.#options = { onTold: () => {}, leaseMs: LEASE_MS, ...options }
  }

  start (): void {
    this.#running = this.#run()
  }

  /** Gives up what is under way: whoever goes on publishes it again. */
  async stop (): Promise<void> {
    this.#stopping.abort()
    this.#options.publisher.abandon()
    await this.#running
  }

  /** null: another process tells the exchange. @throws StoreError */
  async backlog (): Promise<Backlog | null> {
    const { holder, lag } = await this.status()
    if (holder !== null && holder !== this.#options.holder) return null
    return { ready: lag, unsettled: 0, idleMs: performance.now() - this.#toldAt }
  }

  /** @throws StoreError */
  async status (): Promise<CursorStatus> {
    return (await cursorStatus(this.#options.pool)).find(({ name }) => name === NAME)!
  }

  async #run (): Promise<void> {
    const { signal } = this.#stopping
    for (let failures = 0; !signal.aborted;) {
      await this.#options.storeIsUp(signal)
      if (signal.aborted) break
      let pause = STANDBY_MS
      try {
        if (this.#options.publisher.open) await this.#round()
        failures = 0
      } catch (error) {
        pause = backOff(failures++, RETRY)
        this.retried++
        if (failures === 1 && !signal.aborted) logLine(this.#options.log, { event: 'relay_retried', cursor: NAME, reason: (error as Error).message, err: error })
      }
      await this.#release()
      await wait(pause, undefined, { signal }).catch(() => {})
    }
  }

  /** From a lease to its end. */
  async #round (): Promise<void> {
    const position = await this.#lease()
    if (position === null) return
    this.holds = true
    const { log, leaseMs } = this.#options
    logLine(log, { event: 'relay_leading', cursor: NAME, position })
    // A window may take long, while the broker is blocked by an alarm.
    const prolong = setInterval(() => { this.#lease().catch(() => {}) }, leaseMs / 3)
    try {
      const last = await this.#tell(position)
      if (last !== null) logLine(log, { event: 'relay_replaced', cursor: NAME, position: last, reason: 'cursor_moved' })
    } finally {
      clearInterval(prolong)
    }
  }

  /**
   * Window by window: the next is read and published while the broker confirms the one before, so that two at most are under way.
   * @returns the position from which it could not go on, because the cursor is another's, or was rewound; null: it was stopped, or cannot publish
   */
  async #tell (from: number): Promise<number | null> {
    const { signal } = this.#stopping
    let position = from
    let recorded = Promise.resolve(true)
    while (!signal.aborted && this.#options.publisher.open) {
      const events = await this.#look(position)
      if (events.length === 0) {
        if (!await recorded || !await this.#isStillOurs(position)) return position
      } else {
        const confirmed = this.#publish(events)
        confirmed.catch(() => {}) // the window before comes first
        if (!await recorded) return position
        recorded = this.#record(confirmed, position, events.at(-1)!.position)
        position = events.at(-1)!.position
      }
      if (events.length < WINDOW) await wait(events.length > 0 ? BUSY_MS : IDLE_MS, undefined, { signal }).catch(() => {})
    }
    return await recorded ? null : position
  }

  /** @returns false: the cursor is not ours any more */
  #record (confirmed: Promise<void>, from: number, to: number): Promise<boolean> {
    const { pool, holder, leaseMs } = this.#options
    const recorded = confirmed.then(async () => await moveCursor(pool, { name: NAME, holder, from, to, leaseMs }))
    recorded.catch(() => {}) // it is awaited before the next is recorded
    return recorded
  }

  /** While nothing happens this process does not move the cursor, and would not learn that it was rewound: it looks now and then. */
  async #isStillOurs (position: number): Promise<boolean> {
    if (performance.now() - this.#lookedAt < this.#options.leaseMs / 3) return true
    this.#lookedAt = performance.now()
    return await this.#lease() === position
  }

  async #lease (): Promise<number | null> {
    const { pool, holder, leaseMs } = this.#options
    return await leaseCursor(pool, { name: NAME, holder, leaseMs })
  }

  async #look (after: number): Promise<FeedEvent[]> {
    return await readFeedOn(this.#options.pool, after, WINDOW)
  }

  async #publish (events: readonly FeedEvent[]): Promise<void> {
    const started = performance.now()
    await this.#options.publisher.publish(events.map(messageOf))
    this.#toldAt = performance.now()
    this.told += events.length
    this.#options.onTold(events.length, this.#toldAt - started)
  }

  async #release (): Promise<void> {
    if (!this.holds) return
    this.holds = false
    await releaseCursor(this.#options.pool, NAME, this.#options.holder).catch(() => {}) // its lease runs out
  }
}
