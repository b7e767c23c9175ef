const LARGEST = 10_000

/**
 * What verified tokens said, until they expire: checking a signature again for every request cost 20 % of the api's time an
 * order. Keyed by the whole header, so nothing but the very token that was verified is ever found; bounded, the oldest
 * half goes first.
 */
export class VerifiedTokens<T> {
  readonly #known = new Map<string, { value: T, exp: number }>()

  /** @returns null for what was never verified or has expired since */
  get (header: string): T | null {
    const found = this.#known.get(header)
    if (!found) return null
    if (found.exp * 1000 > Date.now()) return found.value
    this.#known.delete(header)
    return null
  }

  /** Unix seconds; null as `get`. */
  expiry (header: string): number | null {
    return this.get(header) === null ? null : this.#known.get(header)!.exp
  }

  /** @param exp Unix seconds */
  set (header: string, value: T, exp: number): void {
    if (this.#known.size >= LARGEST) {
      for (const old of [...this.#known.keys()].slice(0, LARGEST / 2)) this.#known.delete(old)
    }
    this.#known.set(header, { value, exp })
  }
}
