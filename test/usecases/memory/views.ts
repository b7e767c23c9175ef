import { type FoundView, type OrderView, rank } from '../../../src/orders/view.js'
import type { ViewsPort } from '../../../src/usecases/ports.js'

export class MemoryViews implements ViewsPort {
  #views = new Map<string, OrderView>()
  #booked = new Set<string>()
  #away = false
  #missed = false
  /** What is newer than that may be missing; null: nothing is. Milliseconds since 1970. */
  #doubtedFrom: number | null = null

  async get (orderId: string): Promise<FoundView> {
    if (this.#away) return { view: null, asked: false }
    return { view: this.#views.get(orderId) ?? null, asked: true, ...(this.#booked.has(orderId) ? { booked: true } : {}) }
  }

  /** As the worker does once it has booked what the view shows. */
  mark (orderId: string): void {
    this.#booked.add(orderId)
  }

  async put (views: ReadonlyArray<{ view: OrderView, replaces?: string }>): Promise<void> {
    if (this.#away) this.#missed = true
    else for (const { view, replaces } of views) this.#putOne(view, replaces)
  }

  #putOne (view: OrderView, replaces: string | undefined): void {
    const known = this.#views.get(view.order.order_id)
    if (!known || rank(known) < rank(view) || known.event_id === replaces) {
      this.#views.set(view.order.order_id, view)
      this.#booked.delete(view.order.order_id)
    }
  }

  get inDoubt (): boolean {
    return this.#missed || this.#doubtedFrom !== null
  }

  mayMiss (since: number | null): boolean {
    return this.#doubtedFrom !== null && (since === null || since < this.#doubtedFrom)
  }

  /** Out of sight until `heal`. */
  cut (): void {
    this.#away = true
  }

  heal (): void {
    this.#away = this.#missed = false
    this.#doubtedFrom = Date.now()
  }

  empty (): void {
    this.#views.clear()
    this.#doubtedFrom = Date.now()
  }

  /** The time of doubt is over. */
  trust (): void {
    this.#doubtedFrom = null
  }
}
