import type { RevocationsPort } from '../../../src/usecases/ports.js'
import type { Session } from '../../../src/users/session.js'

/** What processes share. */
export class MemoryMarks {
  readonly #marks = new Map<number, number>()
  readonly followers = new Set<MemoryRevocations>()

  mark (userId: number, epoch: number): void {
    this.#marks.set(userId, Math.max(epoch, this.#marks.get(userId) ?? 0))
    for (const follower of this.followers) follower.keep(userId, epoch)
  }

  tell (follower: MemoryRevocations): void {
    this.followers.add(follower)
    for (const [userId, epoch] of this.#marks) follower.keep(userId, epoch)
  }
}

/** One process. */
export class MemoryRevocations implements RevocationsPort {
  readonly #shared: MemoryMarks
  readonly #marks = new Map<number, number>()
  readonly #unshared = new Map<number, number>()

  constructor (shared = new MemoryMarks()) {
    this.#shared = shared
    this.heal()
  }

  get complete (): boolean {
    return this.#shared.followers.has(this)
  }

  async mark (userId: number, epoch: number): Promise<void> {
    this.keep(userId, epoch)
    if (this.complete) this.#shared.mark(userId, epoch)
    else this.#unshared.set(userId, epoch)
  }

  isRevoked ({ user_id: id, epoch }: Pick<Session, 'user_id' | 'epoch'>): boolean {
    return (this.#marks.get(id) ?? 0) > epoch
  }

  keep (userId: number, epoch: number): void {
    this.#marks.set(userId, Math.max(epoch, this.#marks.get(userId) ?? 0))
  }

  /** Hears nothing and is not heard, until `heal`. */
  cut (): void {
    this.#shared.followers.delete(this)
  }

  heal (): void {
    this.#shared.tell(this)
    for (const [userId, epoch] of this.#unshared) this.#shared.mark(userId, epoch)
    this.#unshared.clear()
  }
}
