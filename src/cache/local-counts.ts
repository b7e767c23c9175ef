export interface Bound {
  key: string
  /** Infinity: it is counted and never refused */
  most: number
}

export interface Taken {
  granted: boolean
  /** After it, in their order; empty where it was refused. */
  counts: number[]
  /** Milliseconds until the window of the first, or of the one that refused it, is over. */
  endsInMs: number
}

/** Beyond it the oldest count is forgotten; hashing a password each, nobody makes so many in a minute. */
const MOST_KEYS = 50_000

interface Count { count: number, until: number }

/** Counts of one process. */
export class LocalCounts {
  readonly #counts = new Map<string, Count>()
  readonly #now: () => number

  constructor (now: () => number = () => performance.now()) {
    this.#now = now
  }

  take (bounds: readonly Bound[], windowMs: number): Taken {
    const now = this.#now()
    const known = bounds.map(({ key }) => {
      const count = this.#counts.get(key)
      return count && count.until > now ? count : undefined
    })
    for (const [index, { most }] of bounds.entries()) {
      const count = known[index]
      if (count && count.count >= most) return { granted: false, counts: [], endsInMs: count.until - now }
    }
    const counts = bounds.map(({ key }, index) => known[index] ?? this.#begin(key, now + windowMs))
    for (const count of counts) count.count++
    return { granted: true, counts: counts.map(({ count }) => count), endsInMs: (counts[0]?.until ?? now) - now }
  }

  giveBack (keys: readonly string[]): void {
    for (const key of keys) {
      const count = this.#counts.get(key)
      if (count && count.count > 0) count.count--
    }
  }

  #begin (key: string, until: number): Count {
    this.#counts.delete(key)
    if (this.#counts.size >= MOST_KEYS) this.#counts.delete(this.#counts.keys().next().value!)
    const count = { count: 0, until }
    this.#counts.set(key, count)
    return count
  }
}
