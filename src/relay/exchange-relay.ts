import { setTimeout as wait } from 'node:timers/promises'
import type { EventPublisher } from '../broker/event-publisher.js'
import type { Backlog } from '../health/progress.js'
import type { FeedEvent } from '../orders/feed-event.js'
import { readFeedOn } from '../store/feed.js'
import { type CursorStatus, moveCursor } from '../store/feed-cursors.js'
import { Leadership, type LeadershipOptions } from './leadership.js'
import { messageOf } from './message.js'

const NAME = 'exchange'
/** Between two looks at the feed: while something happens, and while nothing does. */
const BUSY_MS = 10
const IDLE_MS = 50
/** Events published before their confirms are awaited. */
const WINDOW = 500

export interface ExchangeRelayOptions extends Omit<LeadershipOptions, 'cursor'> {
  publisher: Pick<EventPublisher, 'open' | 'publish' | 'abandon'>
  /** Told of each window: how many events, and how long their confirms took, milliseconds. */
  onTold? (events: number, ms: number): void
}

/**
 * Tells the exchange what stands in the feed, from its cursor on: a window is published, and the cursor moves behind its confirms.
 * One relay does so at a time, by lease; a window whose fate is unknown is published again. A broker that is away or blocked stops
 * this and nothing else.
 */
export class ExchangeRelay {
  /** Events told since the start. */
  told = 0
  readonly leadership: Leadership
  readonly #options: ExchangeRelayOptions
  #toldAt = performance.now()

  constructor (options: ExchangeRelayOptions) {
    this.#options = options
    this.leadership = new Leadership({ ...options, cursor: NAME })
  }

  start (): void {
    this.leadership.start(async (position, signal) => await this.#tell(position, signal), () => this.#options.publisher.open)
  }

  /** Gives up what is under way: whoever goes on publishes it again. */
  async stop (): Promise<void> {
    const stopped = this.leadership.stop()
    this.#options.publisher.abandon()
    await stopped
  }

  /** null: another process tells the exchange. @throws StoreError */
  async backlog (): Promise<Backlog | null> {
    const { holder, lag } = await this.status()
    if (holder !== null && holder !== this.#options.holder) return null
    return { ready: lag, unsettled: 0, idleMs: performance.now() - this.#toldAt }
  }

  /** @throws StoreError */
  async status (): Promise<CursorStatus> {
    return await this.leadership.status()
  }

  /** Window by window: the next is read and published while the broker confirms the one before, so that two at most are under way. */
  async #tell (from: number, signal: AbortSignal): Promise<number | null> {
    let position = from
    let recorded = Promise.resolve(true)
    while (!signal.aborted && this.#options.publisher.open) {
      const events = await readFeedOn(this.#options.pool, position, WINDOW)
      if (events.length === 0) {
        if (!await recorded || !await this.leadership.isStillOurs(position)) return position
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
    const { pool, holder } = this.#options
    const recorded = confirmed.then(async () => await moveCursor(pool, { name: NAME, holder, from, to, leaseMs: this.leadership.leaseMs }))
    recorded.catch(() => {}) // it is awaited before the next is recorded
    return recorded
  }

  async #publish (events: readonly FeedEvent[]): Promise<void> {
    const started = performance.now()
    await this.#options.publisher.publish(events.map(messageOf))
    this.#toldAt = performance.now()
    this.told += events.length
    this.#options.onTold?.(events.length, this.#toldAt - started)
  }
}
