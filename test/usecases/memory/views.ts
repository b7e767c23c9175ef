import { type OrderView, rank } from '../../../src/orders/view.js'
import type { ViewsPort } from '../../../src/usecases/ports.js'

export class MemoryViews implements ViewsPort {
  #views = new Map<string, OrderView>()
  #away = false
  #missed = false
  /** What is newer than that may be missing; null: nothing is. Milliseconds since 1970. */
  #doubtedFrom: number | null = null

  async get (orderId: string): Promise<{ view: OrderView | null, asked: boolean }> {
    return this.#away ? { view: null, asked: false } : { view: this.#views.get(orderId) ?? null, asked: true }
  }

  async put (views: ReadonlyArray<{ view: OrderView, replaces?: string }>): Promise<void> {
    if (this.#away) this.#missed = true
    else for (const { view, replaces } of views) this.#putOne(view, replaces)
  }

  #putOne (view: OrderView, replaces: string | undefined): void {
    const known = this.#views.get(view.order.order_id)
    if (!known || rank(known) < rank(view) || known.event_id === replaces) this.#views.set(view.order.order_id, view)
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
