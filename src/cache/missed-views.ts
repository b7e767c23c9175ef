import { rank } from '../orders/view.js'
import type { DatedView } from './view-to-put.js'

export interface MissedViewsOptions {
  /** Tries them again; those that fail are added anew. */
  write (views: readonly DatedView[]): Promise<unknown>
  /** How long a view is tried again: for so long an older one could stand there instead. Milliseconds. */
  lifeMs: number
  /** Told when there were too many to remember. */
  onOverflow (): void
}

/** Views that Redis did not take and that are tried again: 10 MB or so. */
const MOST = 10_000
const AGAIN_MS = 250
const AGAIN_LATER_MS = 1000
const BATCH = 500

/** What Redis did not take, the highest of each order, until it is there or too old to matter. */
export class MissedViews {
  readonly #options: MissedViewsOptions
  readonly #missed = new Map<string, DatedView>()
  readonly #underWay = new Map<string, DatedView>()
  #timer: NodeJS.Timeout | null = null

  constructor (options: MissedViewsOptions) {
    this.#options = options
  }

  get size (): number {
    return this.#missed.size + this.#underWay.size
  }

  get (orderId: string): DatedView | undefined {
    const key = keyOf(orderId)
    return this.#missed.get(key) ?? this.#underWay.get(key)
  }

  add (views: readonly DatedView[]): void {
    for (const missed of views) {
      const key = keyOf(missed.view.order.order_id, missed.replaces)
      const known = this.#missed.get(key)
      this.#missed.delete(key)
      this.#missed.set(key, known && rank(known.view) > rank(missed.view) ? known : missed)
    }
    for (const key of this.#missed.keys()) {
      if (this.#missed.size <= MOST) break
      this.#missed.delete(key)
      this.#options.onOverflow()
    }
    this.#timer ??= setTimeout(() => { void this.#tryAgain() }, this.#underWay.size > 0 ? AGAIN_LATER_MS : AGAIN_MS).unref()
  }

  async #tryAgain (): Promise<void> {
    this.#timer = null
    const since = Date.now() - this.#options.lifeMs
    const views = [...this.#missed.values()].filter(({ at }) => at > since)
    this.#missed.clear()
    for (const one of views) this.#underWay.set(keyOf(one.view.order.order_id, one.replaces), one)
    for (let from = 0; from < views.length; from += BATCH) {
      const some = views.slice(from, from + BATCH)
      await this.#options.write(some)
      for (const one of some) this.#underWay.delete(keyOf(one.view.order.order_id, one.replaces))
    }
  }
}

function keyOf (orderId: string, replaces = ''): string {
  return `${orderId} ${replaces}`
}
