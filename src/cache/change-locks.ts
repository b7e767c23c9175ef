import type { Redis } from 'ioredis'

/** Longer than an event takes to be confirmed or written to the fallback queue, so a lock never ends before its event is taken. Milliseconds. */
const LOCK_MS = 6000

/**
 * Who is changing a version of an order just now: of several at once the first. A lock ends by itself; the change is seen by
 * then, or its api is gone. Every failure is reported and lets every change win: the chain decides.
 */
export class ChangeLocks {
  readonly #redis: Redis
  readonly #prefix: string
  readonly #onFailure: (error: Error) => void

  constructor (redis: Redis, prefix: string, onFailure: (error: Error) => void) {
    this.#redis = redis
    this.#prefix = prefix
    this.#onFailure = onFailure
  }

  /** @returns whether this event may change the version */
  async take (orderId: string, version: number, eventId: string): Promise<boolean> {
    try {
      return await this.#redis.set(this.#key(orderId, version), eventId, 'PX', LOCK_MS, 'NX') === 'OK'
    } catch (error) {
      this.#onFailure(error as Error)
      return true
    }
  }

  /** For a change that was refused for certain. */
  async release (orderId: string, version: number): Promise<void> {
    await this.#redis.del(this.#key(orderId, version)).catch(this.#onFailure)
  }

  #key (orderId: string, version: number): string {
    return `${this.#prefix}lock:${orderId}:${version}`
  }
}
