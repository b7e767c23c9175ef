import type { OrderUsePort } from '../../../src/usecases/ports.js'

/** What processes share, by a clock that the test moves. */
export class MemoryOrderUse implements OrderUsePort {
  readonly #until = new Map<number, number>()
  readonly #now: () => number
  #away = false

  constructor (now: () => number = () => performance.now()) {
    this.#now = now
  }

  async add (uses: ReadonlyArray<{ user_id: number, ms: number }>): Promise<number[] | null> {
    if (this.#away) return null
    const now = this.#now()
    return uses.map(({ user_id, ms }) => {
      const until = Math.max(this.#until.get(user_id) ?? 0, now) + ms
      this.#until.set(user_id, until)
      return Math.ceil(until - now)
    })
  }

  cut (): void {
    this.#away = true
  }
}
