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

/** What was not given back while Redis was away; beyond it the oldest stays counted. */
const MOST_OWED = 1000

/** No window that was open then is, after `until`: by a clock of milliseconds that is never set. */
interface Owed { keys: readonly string[], until: number }

/**
 * How often something happened within a window that begins with its first time, counted by all processes together in Redis;
 * where that does not answer, by this one. Every failure is reported; nothing is thrown. What could not be given back is, before
 * anything else is counted there.
 */
export class Counts {
  readonly #redis: Redis | null
  readonly #prefix: string
  readonly #onFailure: (error: Error) => void
  readonly #local = new LocalCounts()
  #owed: Owed[] = []

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
      const until = performance.now() + windowMs
      this.#settle()
      try {
        const [granted, endsInMs = 0, ...counts] = await this.#redis.takeCounts(keys.length, ...keys, windowMs, ...bounds.map(({ most }) => most === Infinity ? 0 : most))
        return { granted: granted === 1, counts, endsInMs, giveBack: async () => await this.#giveBack({ keys, until }) }
      } catch (error) {
        this.#onFailure(error as Error)
      }
    }
    const names = bounds.map(({ key }) => key)
    return { ...this.#local.take(bounds, windowMs), giveBack: async () => this.#local.giveBack(names) }
  }

  /** Commands of one connection are carried out in their order: nothing is counted before. */
  #settle (): void {
    const [now, owed] = [performance.now(), this.#owed]
    this.#owed = []
    for (const one of owed) if (one.until > now) void this.#giveBack(one)
  }

  async #giveBack (owed: Owed): Promise<void> {
    try {
      await this.#redis!.giveCountsBack(owed.keys.length, ...owed.keys)
    } catch (error) {
      this.#owed.push(owed)
      if (this.#owed.length > MOST_OWED) this.#owed.shift()
      this.#onFailure(error as Error)
    }
  }
}
