import type { KeyRecord, KeyUse } from '../../../src/orders/identity.js'
import type { KeysPort } from '../../../src/usecases/ports.js'

export class MemoryKeys implements KeysPort {
  readonly #records = new Map<string, KeyRecord>()
  #away = false

  async begin (uses: readonly KeyUse[]): Promise<Array<KeyRecord | null>> {
    return uses.map((use) => {
      const before = this.#records.get(use.order_id)
      if (!before) this.#set(use, false)
      return before ?? null
    })
  }

  async accept (uses: readonly KeyUse[]): Promise<void> {
    for (const use of uses) this.#set(use, true)
  }

  async forget (uses: readonly KeyUse[]): Promise<void> {
    for (const { order_id: id } of uses) this.#records.delete(id)
  }

  #set ({ order_id: id, event_id, now }: KeyUse, accepted: boolean): void {
    if (!this.#away) this.#records.set(id, { event_id, now, accepted })
  }

  /** For good: nothing is kept any more. */
  cut (): void {
    this.#away = true
    this.#records.clear()
  }
}
