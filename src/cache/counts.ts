import type { Redis, Result } from 'ioredis'
import { type Bound, LocalCounts, type Taken } from './local-counts.js'

declare module 'ioredis' {
  interface RedisCommander<Context> {
    /** KEYS: one a bound. ARGV: the window in milliseconds, then the bound of each, 0 for none. */
    takeCounts (...args: Array<string | number>): Result<number[], Context>
    giveCountsBack (...args: Array<string | number>): Result<number, Context>
  }
}

/** All or nothing, in one step. A count that says no end, or a far one, was not made here: its window is made right. */
const TAKE = `
local window = tonumber(ARGV[1])
local function ends(key)
  local left = redis.call('pttl', key)
  if left >= 0 and left <= window then return left end
  redis.call('pexpire', key, window)
  return window
end
for i, key in ipairs(KEYS) do
  local most = tonumber(ARGV[i + 1])
  if most > 0 and (tonumber(redis.call('get', key)) or 0) >= most then return {0, ends(key)} end
end
local answer = {1, 0}
for i, key in ipairs(KEYS) do
  answer[i + 2] = redis.call('incr', key)
  local left = ends(key)
  if i == 1 then answer[2] = left end
end
return answer`

const GIVE_BACK = `
for _, key in ipairs(KEYS) do
  if (tonumber(redis.call('get', key)) or 0) > 0 then redis.call('decr', key) end
end
return 0`

/**
 * How often something happened within a window that begins with its first time, counted by all processes together in Redis;
 * where that does not answer, by this one. Every failure is reported; nothing is thrown.
 */
export class Counts {
  readonly #redis: Redis | null
  readonly #prefix: string
  readonly #onFailure: (error: Error) => void
  readonly #local = new LocalCounts()

  /** @param redis null: there is none */
  constructor (redis: Redis | null, prefix: string, onFailure: (error: Error) => void) {
    this.#redis = redis
    this.#prefix = prefix
    this.#onFailure = onFailure
    redis?.defineCommand('takeCounts', { lua: TAKE })
    redis?.defineCommand('giveCountsBack', { lua: GIVE_BACK })
  }

  /** Counts one more under every key where all bounds allow it, and under none otherwise. `giveBack` makes it undone. */
  async take (bounds: readonly Bound[], windowMs: number): Promise<Taken & { giveBack: () => Promise<void> }> {
    const keys = bounds.map(({ key }) => `${this.#prefix}count:${key}`)
    if (this.#redis) {
      try {
        const [granted, endsInMs = 0, ...counts] = await this.#redis.takeCounts(keys.length, ...keys, windowMs, ...bounds.map(({ most }) => most === Infinity ? 0 : most))
        return { granted: granted === 1, counts, endsInMs, giveBack: async () => await this.#giveBack(keys) }
      } catch (error) {
        this.#onFailure(error as Error)
      }
    }
    const names = bounds.map(({ key }) => key)
    return { ...this.#local.take(bounds, windowMs), giveBack: async () => this.#local.giveBack(names) }
  }

  async #giveBack (keys: readonly string[]): Promise<void> {
    await this.#redis?.giveCountsBack(keys.length, ...keys).catch(this.#onFailure)
  }
}
