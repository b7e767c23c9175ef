import type { Redis } from 'ioredis'

/** How many order events all apis have taken, since it is counted. Every failure is reported, and what was not added is added the next time. */
export class AcceptedEvents {
  readonly #redis: Redis
  readonly #key: string
  readonly #onFailure: (error: Error) => void
  #told = 0

  constructor (redis: Redis, prefix: string, onFailure: (error: Error) => void) {
    this.#redis = redis
    this.#key = `${prefix}accepted`
    this.#onFailure = onFailure
  }

  /** @param taken by this process, since its start */
  async tell (taken: number): Promise<void> {
    if (taken === this.#told) return
    const more = taken - this.#told
    this.#told = taken
    try {
      await this.#redis.incrby(this.#key, more)
    } catch (error) {
      this.#told -= more // perhaps it was added: a count that is once too high is better than orders that were never seen
      this.#onFailure(error as Error)
    }
  }

  /** null: it cannot be asked */
  async total (): Promise<number | null> {
    try {
      return Number(await this.#redis.get(this.#key) ?? 0)
    } catch (error) {
      this.#onFailure(error as Error)
      return null
    }
  }
}
