import type { ChangeLocksPort } from '../../../src/usecases/ports.js'

export class MemoryChangeLocks implements ChangeLocksPort {
  readonly #held = new Set<string>()
  #away = false

  async take (orderId: string, version: number, _eventId = ''): Promise<boolean> {
    if (this.#away) return true
    const lock = `${orderId} ${version}`
    if (this.#held.has(lock)) return false
    this.#held.add(lock)
    return true
  }

  async release (orderId: string, version: number): Promise<void> {
    if (!this.#away) this.#held.delete(`${orderId} ${version}`)
  }

  cut (): void {
    this.#away = true
  }
}
