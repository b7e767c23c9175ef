import type { Redis, Result } from 'ioredis'
import type { KeyRecord, KeyUse } from '../orders/identity.js'
import type { Mac } from '../secrets/mac.js'

declare module 'ioredis' {
  interface RedisCommander<Context> {
    /** KEYS: one a use. ARGV: life in milliseconds, then the value of each. */
    beginKeyUses (...args: Array<string | number>): Result<Array<string | null>, Context>
  }
}

/** Gives back what stands under each key, and sets it where nothing does; a key twice in one call is found the second time. */
const BEGIN = `
local found = {}
for i, key in ipairs(KEYS) do
  local value = redis.call('get', key)
  found[i] = value
  if not value then redis.call('set', key, ARGV[i + 1], 'PX', ARGV[1]) end
end
return found`

type State = 'begun' | 'accepted'

const LIFE_MS = 24 * 3_600_000

/**
 * Which Idempotency-Keys were used for what, for 24 hours. A value is `<event_id> <now> <begun, or accepted once the request's
 * event was taken> <signature, or ->`; the answer is made from it again, so only what a process of ours has signed is believed.
 * Correctness never rests on it: ids are derived from the key. Every failure is reported and reads as never used.
 */
export class IdempotencyKeys {
  readonly #redis: Redis
  readonly #prefix: string
  readonly #mac: Mac | null
  readonly #onFailure: (error: Error) => void

  /** @param mac null: no key is given */
  constructor (redis: Redis, prefix: string, mac: Mac | null, onFailure: (error: Error) => void) {
    this.#redis = redis
    this.#prefix = prefix
    this.#mac = mac
    this.#onFailure = onFailure
    if (!('beginKeyUses' in redis)) (redis as Redis).defineCommand('beginKeyUses', { lua: BEGIN })
  }

  /** Records each use where its key has none. @returns what stood before, in their order */
  async begin (uses: readonly KeyUse[]): Promise<Array<KeyRecord | null>> {
    try {
      const found = await this.#redis.beginKeyUses(uses.length, ...uses.map((use) => this.#key(use)), LIFE_MS, ...uses.map((use) => this.#value(use, 'begun')))
      return found.map((value, index) => value === null ? null : this.#record(uses[index]!, value))
    } catch (error) {
      this.#onFailure(error as Error)
      return uses.map(() => null)
    }
  }

  /** From now on a repetition is answered without being taken again. */
  async accept (uses: readonly KeyUse[]): Promise<void> {
    if (uses.length === 0) return
    const pipeline = this.#redis.pipeline()
    for (const use of uses) pipeline.set(this.#key(use), this.#value(use, 'accepted'), 'PX', LIFE_MS)
    // It never rejects: each command has a result of its own.
    const failure = (await pipeline.exec())?.find(([error]) => error !== null)?.[0]
    if (failure) this.#onFailure(failure)
  }

  /** For requests that were refused for certain: their keys are free again. */
  async forget (uses: readonly KeyUse[]): Promise<void> {
    if (uses.length > 0) await this.#redis.del(uses.map((use) => this.#key(use))).catch(this.#onFailure)
  }

  #key ({ order_id }: KeyUse): string {
    return `${this.#prefix}key:${order_id}`
  }

  #value ({ order_id, event_id, now }: KeyUse, state: State): string {
    return `${event_id} ${now} ${state} ${this.#mac?.sign(signedPart(order_id, event_id, now, state)) ?? '-'}`
  }

  /** null: no process of ours has written it for this key */
  #record ({ order_id }: KeyUse, value: string): KeyRecord | null {
    const [event_id = '', now = '', state = '', signature = ''] = value.split(' ')
    if (this.#mac && !this.#mac.verifies(signedPart(order_id, event_id, now, state), signature)) {
      this.#onFailure(new Error('a record that no process of ours has written for this key'))
      return null
    }
    return { event_id, now, accepted: state === 'accepted' }
  }
}

function signedPart (...parts: string[]): string {
  return parts.join(' ')
}
