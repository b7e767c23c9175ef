import type { Redis, Result } from 'ioredis'
import type { KeyRecord, KeyUse } from '../orders/identity.js'

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

const LIFE_MS = 24 * 3_600_000

/**
 * Which Idempotency-Keys were used for what, for 24 hours. A value is `<event_id> <now>`, with ` accepted` behind it once the
 * request's event was taken; the answer is made from it again. Correctness never rests on it: ids are derived from the key.
 * Every failure is reported and reads as never used.
 */
export class IdempotencyKeys {
  readonly #redis: Redis
  readonly #prefix: string
  readonly #onFailure: (error: Error) => void

  constructor (redis: Redis, prefix: string, onFailure: (error: Error) => void) {
    this.#redis = redis
    this.#prefix = prefix
    this.#onFailure = onFailure
    if (!('beginKeyUses' in redis)) (redis as Redis).defineCommand('beginKeyUses', { lua: BEGIN })
  }

  /** Records each use where its key has none. @returns what stood before, in their order */
  async begin (uses: readonly KeyUse[]): Promise<Array<KeyRecord | null>> {
    try {
      const found = await this.#redis.beginKeyUses(uses.length, ...uses.map((use) => this.#key(use)), LIFE_MS, ...uses.map(value))
      return found.map((value) => value === null ? null : record(value))
    } catch (error) {
      this.#onFailure(error as Error)
      return uses.map(() => null)
    }
  }

  /** From now on a repetition is answered without being taken again. */
  async accept (uses: readonly KeyUse[]): Promise<void> {
    if (uses.length === 0) return
    const pipeline = this.#redis.pipeline()
    for (const use of uses) pipeline.set(this.#key(use), `${value(use)} accepted`, 'PX', LIFE_MS)
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
}

function value ({ event_id, now }: KeyUse): string {
  return `${event_id} ${now}`
}

function record (text: string): KeyRecord {
  const [event_id = '', now = '', state] = text.split(' ')
  return { event_id, now, accepted: state === 'accepted' }
}
