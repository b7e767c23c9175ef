import type { Claimed } from '../store/webhook-deliveries.js'

export interface LanesOptions {
  /** Attempts under way at once, of one endpoint and of all. */
  share: number
  most: number
  /** Milliseconds after which one that has not begun is given back: its lease would not last. */
  waitMs: number
  /** One attempt; never throws. */
  attempt (claimed: Claimed): Promise<void>
  giveBack (claimed: Claimed): void
}

interface Lane { running: number, waiting: Array<{ claimed: Claimed, until: number }> }

/** What was taken to be delivered, a lane for each endpoint: a few are under way in each, the rest waits for them. */
export class Lanes {
  readonly #options: LanesOptions
  readonly #lanes = new Map<string, Lane>()
  readonly #attempts = new Set<Promise<void>>()

  constructor (options: LanesOptions) {
    this.#options = options
  }

  /** Taken and not ended, by endpoint. */
  get held (): Map<string, number> {
    return new Map([...this.#lanes].map(([id, { running, waiting }]) => [id, running + waiting.length]))
  }

  add (claimed: Claimed): void {
    const { webhook_id: id } = claimed
    const lane = this.#lanes.get(id) ?? { running: 0, waiting: [] }
    this.#lanes.set(id, lane)
    lane.waiting.push({ claimed, until: performance.now() + this.#options.waitMs })
    this.#begin(id, lane)
  }

  /** Gives back what has not begun. @returns resolves when all that has begun has ended */
  async close (): Promise<void> {
    for (const { waiting } of this.#lanes.values()) for (const { claimed } of waiting.splice(0)) this.#options.giveBack(claimed)
    await Promise.all(this.#attempts)
  }

  #begin (id: string, lane: Lane): void {
    const { share, most } = this.#options
    while (lane.running < share && this.#attempts.size < most && lane.waiting.length > 0) {
      const { claimed, until } = lane.waiting.shift()!
      if (performance.now() > until) this.#options.giveBack(claimed)
      else this.#run(id, lane, claimed)
    }
    if (lane.running === 0 && lane.waiting.length === 0) this.#lanes.delete(id)
  }

  #run (id: string, lane: Lane, claimed: Claimed): void {
    lane.running++
    const attempt = this.#options.attempt(claimed).then(() => {
      const wasFull = this.#attempts.size === this.#options.most
      this.#attempts.delete(attempt)
      lane.running--
      this.#begin(id, lane)
      if (wasFull) for (const [other, waiting] of [...this.#lanes]) this.#begin(other, waiting)
    })
    this.#attempts.add(attempt)
  }
}
