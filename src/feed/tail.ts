import { setTimeout as wait } from 'node:timers/promises'
import type { FeedEvent } from '../orders/feed-event.js'
import type { FeedPort } from './reader.js'

export interface TailOptions {
  port: FeedPort
  /** Between two looks at the feed, milliseconds: while something happens, and while nothing does. */
  busyMs?: number
  idleMs?: number
}

const WINDOW = 500
/** Events held for a follower that is slow to take them: beyond, it is told to read on by itself. */
const MOST_HELD = 1000

/** What one reader is told of the tail, until it takes too little of it. */
export interface Follower {
  /** Resolves with what happened since it was last asked; null: read the feed again from the last position that was given. */
  next (): Promise<readonly FeedEvent[] | null>
  leave (): void
}

/**
 * The end of the feed, looked at for all its followers at once: by one short statement every few milliseconds while anybody
 * follows, and by none while none does.
 */
export class Tail {
  readonly #options: Required<TailOptions>
  readonly #followers = new Set<Queue>()
  /** Up to here its followers were told everything. */
  #position = 0
  #running = false
  #pause = new AbortController()

  constructor ({ port, busyMs = 20, idleMs = 100 }: TailOptions) {
    this.#options = { port, busyMs, idleMs }
  }

  /**
   * @param position up to which the reader knows the feed
   * @param signal ends the wait for what happens
   * @returns null: the tail is ahead of it, so read on first
   */
  follow (position: number, signal: AbortSignal): Follower | null {
    if (!this.#running) this.#position = position
    if (this.#position > position) return null
    const queue = new Queue(position, signal, () => this.#leave(queue))
    this.#followers.add(queue)
    if (!this.#running) void this.#run()
    return queue
  }

  /** How many follow. */
  get followers (): number {
    return this.#followers.size
  }

  async #run (): Promise<void> {
    this.#running = true
    const { busyMs, idleMs } = this.#options
    while (this.#followers.size > 0) {
      const found = await this.#look()
      if (found === WINDOW || this.#followers.size === 0) continue
      this.#pause = new AbortController()
      await wait(found > 0 ? busyMs : idleMs, undefined, { signal: this.#pause.signal }).catch(() => {})
    }
    this.#running = false
  }

  /** @returns how many events it found; none where the feed cannot be read now */
  async #look (): Promise<number> {
    try {
      const { events } = await this.#options.port.read({ after: this.#position, limit: WINDOW })
      this.#position = events.at(-1)?.position ?? this.#position
      if (events.length > 0) for (const follower of this.#followers) follower.give(events)
      return events.length
    } catch {
      return 0
    }
  }

  #leave (queue: Queue): void {
    this.#followers.delete(queue)
    if (this.#followers.size === 0) this.#pause.abort()
  }
}

class Queue implements Follower {
  #held: FeedEvent[] = []
  #state: 'following' | 'overrun' | 'left' = 'following'
  #wake: () => void = () => {}
  readonly #position: number
  readonly #signal: AbortSignal
  readonly #onLeave: () => void
  readonly #onAbort = (): void => this.leave()

  constructor (position: number, signal: AbortSignal, onLeave: () => void) {
    this.#position = position
    this.#signal = signal
    this.#onLeave = onLeave
    signal.addEventListener('abort', this.#onAbort)
  }

  give (events: readonly FeedEvent[]): void {
    for (const event of events) if (event.position > this.#position) this.#held.push(event)
    if (this.#held.length > MOST_HELD) this.#end('overrun')
    else this.#wake()
  }

  async next (): Promise<readonly FeedEvent[] | null> {
    if (this.#held.length === 0 && this.#state === 'following') await new Promise<void>((resolve) => { this.#wake = resolve })
    return this.#state === 'following' ? this.#held.splice(0) : null
  }

  leave (): void {
    this.#end('left')
  }

  #end (state: 'overrun' | 'left'): void {
    if (this.#state !== 'following') return
    this.#state = state
    this.#held = []
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#onLeave()
    this.#wake()
  }
}
