import type { OrderUsePort } from './ports.js'

const MINUTE_MS = 60_000
/** Users remembered at once; beyond it the one who began first is forgotten, and begins with all that they may. */
const MOST_USERS = 100_000
/** Told in one call: what Redis does at once keeps others waiting. */
const A_CALL = 500

export interface OrderQuotaOptions {
  /** 0: no bound */
  perMinute: number
  /** null: this process counts for itself */
  shared: OrderUsePort | null
  /** Milliseconds by a clock that never goes back. */
  now: () => number
}

/** What is left after a request, or without it when it was refused. */
export interface Quota {
  granted: boolean
  /** orders */
  left: number
  /** Seconds: until all is left again, or, refused, until the same request would be granted. */
  seconds: number
}

/** One user: `until` is when all that they used is given back (GCRA); `untold` what the other processes do not know of. */
interface Use { until: number, untold: number }

/**
 * How many orders a user may place a minute: so many at once, and as many given back a minute. It is counted here, without
 * asking anybody: a lookup an order. What was used is told to the other processes in the background, about every second, and
 * what they count is learnt by it; so for a second each process counts for itself alone.
 */
export class OrderQuota {
  readonly perMinute: number
  readonly #shared: OrderUsePort | null
  readonly #now: () => number
  /** Milliseconds in which one order is given back. */
  readonly #each: number
  readonly #uses = new Map<number, Use>()

  constructor ({ perMinute, shared, now }: OrderQuotaOptions) {
    this.perMinute = perMinute
    this.#shared = shared
    this.#now = now
    this.#each = MINUTE_MS / perMinute
  }

  /** Nobody used anything lately: there is nothing to tell and nothing to forget. */
  get idle (): boolean {
    return this.#uses.size === 0
  }

  /** All or nothing. More than a minute's worth at once is granted where all is left, and given back before anything more is. */
  take (userId: number, orders: number): Quota {
    const now = this.#now()
    const use = this.#uses.get(userId) ?? this.#newcomer(userId, now)
    const used = Math.max(use.until - now, 0)
    const after = used + orders * this.#each
    const wait = used + Math.min(orders, this.perMinute) * this.#each - MINUTE_MS
    // A float's last digit is no reason to refuse.
    if (wait > 1e-6) return { granted: false, left: this.#left(used), seconds: Math.ceil(wait / 1000) }
    use.until = now + after
    use.untold += orders
    return { granted: true, left: this.#left(after), seconds: Math.ceil(after / 1000) }
  }

  /** What a request was granted before it was known how many it needs. */
  giveBack (userId: number, orders: number): void {
    const use = this.#uses.get(userId)
    if (!use) return
    use.until -= orders * this.#each
    use.untold -= orders
  }

  /** Tells what was used since the last time, learns what others used, and forgets who has used nothing for long. Never throws. */
  async share (): Promise<void> {
    const now = this.#now()
    const untold: Array<{ user_id: number, ms: number }> = []
    for (const [user_id, use] of this.#uses) {
      if (use.untold > 0) untold.push({ user_id, ms: use.untold * this.#each })
      else if (use.until <= now) this.#uses.delete(user_id)
      use.untold = 0
    }
    if (!this.#shared) return
    for (let from = 0; from < untold.length; from += A_CALL) await this.#tell(this.#shared, untold.slice(from, from + A_CALL))
  }

  /** What could not be told is not told later: it counts here, and is given back with time. */
  async #tell (shared: OrderUsePort, uses: ReadonlyArray<{ user_id: number, ms: number }>): Promise<void> {
    const everywhere = await shared.add(uses)
    const now = this.#now()
    for (const [index, { user_id }] of uses.entries()) {
      const [use, ms] = [this.#uses.get(user_id), everywhere?.[index]]
      // Used here while it was told: nobody counted that yet.
      if (use && ms !== undefined) use.until = Math.max(use.until, now + ms + use.untold * this.#each)
    }
  }

  #newcomer (userId: number, now: number): Use {
    const use = { until: now, untold: 0 }
    if (this.#uses.size >= MOST_USERS) this.#uses.delete(this.#uses.keys().next().value!)
    this.#uses.set(userId, use)
    return use
  }

  #left (usedMs: number): number {
    return Math.max(Math.floor(this.perMinute - usedMs / this.#each + 1e-6), 0)
  }
}
