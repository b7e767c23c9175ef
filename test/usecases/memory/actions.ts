import type { ActionsPort } from '../../../src/usecases/ports.js'
import type { Action } from '../../../src/users/actions.js'
import { storeAway } from './store-away.js'

export class MemoryActions implements ActionsPort {
  /** Oldest first. */
  readonly recorded: Action[] = []
  #away = false

  async record (action: Action): Promise<void> {
    if (this.#away) throw storeAway()
    this.recorded.push(action)
  }

  cut (): void {
    this.#away = true
  }
}
