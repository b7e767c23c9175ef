import { once } from 'node:events'
import { Redis, type RedisOptions } from 'ioredis'
import type { Test } from 'tap'
import { ChangeLocks } from '../../../src/cache/change-locks.js'
import { Counts } from '../../../src/cache/counts.js'
import { IdempotencyKeys } from '../../../src/cache/idempotency-keys.js'
import { OrderUse } from '../../../src/cache/order-use.js'
import { OrderViews } from '../../../src/cache/order-views.js'
import { Revocations } from '../../../src/cache/revocations.js'
import { newId } from '../../../src/ids.js'
import { Mac } from '../../../src/secrets/mac.js'
import { EVENT_KEY } from '../../support/broker.js'
import { eventually } from '../../support/eventually.js'
import type { Place } from '../../support/place.js'
import { openProxy } from '../../support/proxy.js'
import type { OpenedLocks } from '../contracts/change-locks.js'
import type { OpenedCounts } from '../contracts/counts.js'
import type { OpenedKeys } from '../contracts/keys.js'
import type { OpenedOrderUse } from '../contracts/order-use.js'
import type { Process } from '../contracts/revocations.js'
import type { OpenedViews } from '../contracts/views.js'

/** A client that fails fast, as the service's own, and whose connection can be cut. */
interface Link {
  redis: Redis
  cut (): Promise<void>
  heal (): Promise<void>
}

const onFailure = (): void => {}

async function openLink (t: Test, place: Place, options: Pick<RedisOptions, 'autoResubscribe'> = {}): Promise<Link> {
  const proxy = await openProxy(t, place.env.REDIS_URL!)
  const redis = new Redis(proxy.url, { enableOfflineQueue: false, maxRetriesPerRequest: 0, lazyConnect: true, retryStrategy: () => 50, ...options })
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  const change = async (event: 'close' | 'ready', begin: () => void) => {
    const changed = once(redis, event)
    begin()
    await changed
  }
  return {
    redis,
    cut: async () => await change('close', () => {
      proxy.mode = 'refuse'
      proxy.cut()
    }),
    heal: async () => await change('ready', () => { proxy.mode = 'pass' })
  }
}

export async function openRedisViews (t: Test, place: Place): Promise<OpenedViews> {
  const { redis, cut, heal } = await openLink(t, place)
  await redis.connect()
  const prefix = `${place.redisPrefix}${newId()}:`
  await place.redis!.set(`${prefix}views:since`, 0) // it has been there for long
  const views = new OrderViews(redis, prefix, new Mac([EVENT_KEY], 'order view'), onFailure)
  return {
    views,
    cut,
    heal: async () => {
      await heal()
      views.doubt() // as the service does
    },
    empty: async () => { await place.redis!.del(await place.redis!.keys(`${prefix}*`)) }
  }
}

export async function openRedisLocks (t: Test, place: Place): Promise<OpenedLocks> {
  const { redis, cut } = await openLink(t, place)
  await redis.connect()
  return { locks: new ChangeLocks(redis, place.redisPrefix, onFailure), cut }
}

export async function openRedisKeys (t: Test, place: Place): Promise<OpenedKeys> {
  const { redis, cut } = await openLink(t, place)
  await redis.connect()
  return { keys: new IdempotencyKeys(redis, place.redisPrefix, new Mac([EVENT_KEY], 'idempotency key'), onFailure), cut }
}

export async function openRedisCounts (t: Test, place: Place): Promise<OpenedCounts> {
  const links = [await openLink(t, place), await openLink(t, place)] as const
  for (const { redis } of links) await redis.connect()
  const prefix = `${place.redisPrefix}${newId()}:`
  return { processes: [new Counts(links[0].redis, prefix, onFailure), new Counts(links[1].redis, prefix, onFailure)] }
}

export async function openRedisOrderUse (t: Test, place: Place): Promise<OpenedOrderUse> {
  const links = [await openLink(t, place), await openLink(t, place)] as const
  for (const { redis } of links) await redis.connect()
  const prefix = `${place.redisPrefix}${newId()}:`
  return { processes: [new OrderUse(links[0].redis, prefix, onFailure), new OrderUse(links[1].redis, prefix, onFailure)], cut: links[0].cut }
}

export async function openRedisMarks (t: Test, place: Place): Promise<[Process, Process]> {
  const prefix = `${place.redisPrefix}${newId()}:`
  const openProcess = async (): Promise<Process> => {
    const { redis, cut, heal } = await openLink(t, place, { autoResubscribe: false })
    const revocations = new Revocations({ redis, prefix, lifeMs: 60_000, epochOf: async () => null, onFailure })
    t.teardown(() => revocations.stop())
    await redis.connect()
    await eventually('it follows', () => revocations.complete)
    return { revocations, cut, heal }
  }
  return [await openProcess(), await openProcess()]
}
