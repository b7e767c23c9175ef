import { setTimeout as wait } from 'node:timers/promises'
import { idOf } from '../feed/cloud-event.js'
import type { Backlog } from '../health/progress.js'
import { type FeedEvent, happeningOf } from '../orders/feed-event.js'
import { readFeed, readFeedOn } from '../store/feed.js'
import type { CursorStatus } from '../store/feed-cursors.js'
import type { Told } from '../store/webhook-deliveries.js'
import { endpointWork, type EndpointWork, fanOut, replayStep, skipFeed, sweepDeliveries } from '../store/webhook-upkeep.js'
import { typeOf } from '../webhooks/endpoint.js'
import { KEPT_MS, WAITING_MS } from '../webhooks/schedule.js'
import { Leadership, type LeadershipOptions } from './leadership.js'

/** Events made deliveries of in one transaction. */
const WINDOW = 500
/** Between two looks at the feed: while something happens, while nothing does, and while there is no endpoint. */
const BUSY_MS = 10
const IDLE_MS = 50
const UNUSED_MS = 500
const SWEEP_MS = 60_000
const SWEPT_ROWS = 1000

export interface WebhookFanoutOptions extends Omit<LeadershipOptions, 'cursor'> {
  /** Told when there is something new to deliver. */
  onDue? (): void
}

/** Turns events of the feed into deliveries, one for each event and endpoint; sends nothing. One relay does so at a time. */
export class WebhookFanout {
  readonly leadership: Leadership
  readonly #options: WebhookFanoutOptions
  #madeAt = performance.now()
  #sweptAt = 0

  constructor (options: WebhookFanoutOptions) {
    this.#options = options
    this.leadership = new Leadership({ ...options, cursor: 'webhooks' })
  }

  start (): void {
    this.leadership.start(async (position, signal) => await this.#lead(position, signal), () => true)
  }

  async stop (): Promise<void> {
    await this.leadership.stop()
  }

  /** null: another process does it. @throws StoreError */
  async backlog (): Promise<Backlog | null> {
    const { holder, lag } = await this.status()
    if (holder !== null && holder !== this.#options.holder) return null
    return { ready: lag, unsettled: 0, idleMs: performance.now() - this.#madeAt }
  }

  /** @throws StoreError */
  async status (): Promise<CursorStatus> {
    return await this.leadership.status()
  }

  async #lead (from: number, signal: AbortSignal): Promise<number | null> {
    let position = from
    while (!signal.aborted) {
      const work = await endpointWork(this.#options.pool)
      const next = work.any ? await this.#fanOut(position) : await this.#skip(position, work.end)
      if (next === null || (next === position && !await this.leadership.isStillOurs(position))) return position
      const made = next - position + await this.#replay(work.replays)
      if (made > 0) this.#options.onDue?.()
      position = next
      await this.#sweep()
      await wait(work.any ? pauseAfter(made) : UNUSED_MS, undefined, { signal }).catch(() => {})
    }
    return null
  }

  /** @returns the position behind it; null: the cursor is not ours any more */
  async #fanOut (from: number): Promise<number | null> {
    const { pool, holder } = this.#options
    const events = await readFeedOn(pool, from, WINDOW)
    if (events.length === 0) return from
    const to = events.at(-1)!.position
    if (!await fanOut(pool, { holder, from, to, leaseMs: this.leadership.leaseMs }, events.map(toldOf), WAITING_MS)) return null
    this.#madeAt = performance.now()
    return to
  }

  async #skip (from: number, to: number): Promise<number | null> {
    const { pool, holder } = this.#options
    if (to <= from) return from
    const skipped = await skipFeed(pool, { holder, from, to, leaseMs: this.leadership.leaseMs })
    if (skipped) this.#madeAt = performance.now()
    return skipped ? to : from // there may be an endpoint now
  }

  /** A step of each part of the feed that is being told again. @returns events looked at */
  async #replay (replays: EndpointWork['replays']): Promise<number> {
    let looked = 0
    for (const { webhook_id, user_id, role, after, before } of replays) {
      const { events } = await readFeed(this.#options.pool, { after, limit: WINDOW, user_id: role === 'operator' ? undefined : user_id })
      const wanted = events.filter(({ position }) => position <= before)
      const to = events.length < WINDOW || wanted.length < events.length ? null : events.at(-1)!.position
      await replayStep(this.#options.pool, webhook_id, { from: after, to }, wanted.map(toldOf))
      looked += wanted.length
    }
    return looked
  }

  async #sweep (): Promise<void> {
    if (performance.now() - this.#sweptAt < SWEEP_MS && this.#sweptAt > 0) return
    const rows = await sweepDeliveries(this.#options.pool, { keptMs: KEPT_MS, waitingMs: WAITING_MS, rows: SWEPT_ROWS })
    if (rows < SWEPT_ROWS) this.#sweptAt = performance.now()
  }
}

function pauseAfter (made: number): number {
  if (made >= WINDOW) return 0
  return made > 0 ? BUSY_MS : IDLE_MS
}

function toldOf (event: FeedEvent): Told {
  const { event_id, reopened, position, data: { order_id, user_id } } = event
  return { event_id, verdict: reopened, message_id: idOf(event), order_id, user_id, position, type: typeOf(happeningOf(event)) }
}
