import type { Redis, Result } from 'ioredis'

declare module 'ioredis' {
  interface RedisCommander<Context> {
    /** KEYS: one a view. ARGV: their life in milliseconds, one value a view, then for each that replaces an event its number and that event. */
    putOrderViews (...args: Array<string | number>): Result<number, Context>
    /** KEYS: one a view. ARGV: their life in milliseconds, one value a view. What stands there stays. */
    putFirstViews (...args: Array<string | number>): Result<number, Context>
    /** Milliseconds since views were first kept here. */
    ageOfViews (key: string): Result<number, Context>
    /** KEYS: one an event. ARGV: the life in milliseconds, then the first 49 characters of the value that the view of each has. */
    markOrderViews (...args: Array<string | number>): Result<number, Context>
    /** Deletes the value if it is still this one. */
    dropView (key: string, value: string): Result<number, Context>
  }
}

/**
 * A write needs a higher rank, with one exception: a view of an event that was rejected meanwhile gives way to any rank,
 * because it shows what will never be.
 */
const PUT = `
local replaced = {}
for i = #KEYS + 2, #ARGV, 2 do replaced[tonumber(ARGV[i])] = ARGV[i + 1] end
for i, key in ipairs(KEYS) do
  local value = ARGV[i + 1]
  local found = redis.call('getrange', key, 0, 48)
  if found == '' or string.sub(found, 1, 12) < string.sub(value, 1, 12) or string.sub(found, 14, 49) == replaced[i] then
    redis.call('set', key, value, 'PX', ARGV[1])
  end
end
return #KEYS`

/** Of placements: nothing has a lower rank, so nothing gives way to them. */
const PUT_FIRST = `
for i, key in ipairs(KEYS) do redis.call('set', key, ARGV[i + 1], 'NX', 'PX', ARGV[1]) end
return #KEYS`

/** What is not the view of this very event is left as it is: it shows something later. */
const MARK = `
for i, key in ipairs(KEYS) do
  local head = ARGV[i + 1]
  local found = redis.call('getrange', key, 0, 48)
  if found == '' then
    redis.call('set', key, head .. '!', 'PX', ARGV[1])
  elseif found == head then
    redis.call('setrange', key, 49, '!')
    redis.call('pexpire', key, ARGV[1])
  end
end
return #KEYS`

const DROP = "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('del', KEYS[1]) or 0"

/** By Redis' own clock; an emptied Redis is as good as a new one. */
const AGE = `
local now = redis.call('time')
now = now[1] * 1000 + math.floor(now[2] / 1000)
return now - (redis.call('set', KEYS[1], now, 'NX', 'GET') or now)`

/** Once for a client. */
export function defineViewScripts (redis: Redis): void {
  if ('putOrderViews' in redis) return
  const client: Redis = redis
  client.defineCommand('putOrderViews', { lua: PUT })
  client.defineCommand('putFirstViews', { lua: PUT_FIRST })
  client.defineCommand('markOrderViews', { lua: MARK })
  client.defineCommand('ageOfViews', { lua: AGE, numberOfKeys: 1 })
  client.defineCommand('dropView', { lua: DROP, numberOfKeys: 1 })
}
