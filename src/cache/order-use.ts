import type { Redis, Result } from 'ioredis'

declare module 'ioredis' {
  interface RedisCommander<Context> {
    /** KEYS: one a user. ARGV: milliseconds of each. */
    addOrderUse (...args: Array<string | number>): Result<number[], Context>
  }
}

/** Further ahead nothing that was used honestly is given back: whatever else stands there is passed over. Milliseconds. */
const FURTHEST_MS = 600_000

/** Each key holds when all that its user used is given back, by Redis' own clock, and is gone then. */
const ADD = `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local uses = {}
for i, key in ipairs(KEYS) do
  local found = redis.pcall('get', key)
  local known = type(found) == 'string' and tonumber(found) or 0
  if not (known >= now and known < now + ${FURTHEST_MS}) then known = now end
  local til = math.ceil(known + ARGV[i])
  redis.call('set', key, string.format('%.0f', til), 'PX', string.format('%.0f', math.max(til - now, 1)))
  uses[i] = til - now
end
return uses`

/** What users used of their orders a minute, by all processes together. Every failure is reported, and then nothing was learnt. */
export class OrderUse {
  readonly #redis: Redis
  readonly #prefix: string
  readonly #onFailure: (error: Error) => void

  constructor (redis: Redis, prefix: string, onFailure: (error: Error) => void) {
    this.#redis = redis
    this.#prefix = prefix
    this.#onFailure = onFailure
    if (!('addOrderUse' in redis)) (redis as Redis).defineCommand('addOrderUse', { lua: ADD })
  }

  /** @returns milliseconds until all that was used is given back, in their order */
  async add (uses: ReadonlyArray<{ user_id: number, ms: number }>): Promise<number[] | null> {
    try {
      return await this.#redis.addOrderUse(uses.length, ...uses.map(({ user_id }) => `${this.#prefix}orders-used:${user_id}`), ...uses.map(({ ms }) => ms))
    } catch (error) {
      this.#onFailure(error as Error)
      return null
    }
  }
}
