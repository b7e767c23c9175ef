import { createHash, randomBytes } from 'node:crypto'
import { relative } from 'node:path'
import { Redis } from 'ioredis'
import pg from 'pg'
import type { Test } from 'tap'
import { columnTypes } from '../../src/store/database.js'
import { administer, copyTemplate, dropDatabase } from '../../testkit/databases.js'
import { amqpConnect, EVENT_KEY } from './broker.js'
import { BUILD } from './build.js'
import { limitOf } from './limits.js'

/** Of 32 bytes that count up. */
export const TEST_DATA_KEY = `test:${Buffer.from(Array.from({ length: 32 }, (_, at) => at * 7)).toString('base64')}`

const { TEST_RUN, TEST_POSTGRES, TEST_REDIS, TEST_RABBITMQ, TEST_OWN_VHOSTS } = process.env

/** A virtual host for each test file, made by test/run.ts before the first one starts. */
export function vhostOf (run: string, file: string): string {
  return `${run}_${createHash('sha256').update(file.replace(/\.[jt]s$/, '')).digest('hex').slice(0, 8)}`
}

/** Options of a test that cannot run without these: skipped, with the reason, where one is not to be had. */
export function needs (...services: Array<'redis' | 'rabbitmq'>): { skip?: string } {
  const missing = services.filter((service) => (service === 'redis' ? TEST_REDIS : TEST_RABBITMQ) === '')
  return missing.length > 0 ? { skip: `${missing.join(' and ')} not to be had on this machine` } : {}
}

/** Where one test file works: a database, a key prefix and a virtual host of its own. */
export interface Place {
  env: Record<string, string>
  pool: pg.Pool
  /** null where there is none */
  redis: Redis | null
  redisPrefix: string
}

export async function openPlace (t: Test): Promise<Place> {
  if (!TEST_RUN || !TEST_POSTGRES) throw new Error('run the tests with `npm test`, one file with `npm test -- test/that.test.ts`')
  const name = `${TEST_RUN}_${randomBytes(4).toString('hex')}`
  const url = await copyTemplate(TEST_POSTGRES, TEST_RUN, name)
  const pool = new pg.Pool({ connectionString: url, max: 3 })
  pool.on('error', () => {}) // some tests cut connections
  const redis = TEST_REDIS ? new Redis(TEST_REDIS) : null
  const redisPrefix = `${name}:`
  await redis?.set(`${redisPrefix}views:since`, 0) // it has been there for long
  const amqpUrl = await ownBroker()
  t.teardown(async () => {
    await pool.end()
    if (redis) await removeKeys(redis, redisPrefix)
    await dropDatabase(TEST_POSTGRES, name)
  })
  return {
    pool,
    redis,
    redisPrefix,
    env: {
      NODE_ENV: 'test',
      DATABASE_URL: url,
      ...(TEST_REDIS ? { REDIS_URL: TEST_REDIS } : {}),
      ...(amqpUrl ? { AMQP_URL: amqpUrl } : {}),
      REDIS_PREFIX: redisPrefix,
      REDIS_TIMEOUT_MS: String(Math.min(limitOf(2000), 10_000)), // a busy machine is not a fault
      JWT_SECRET: 'a-secret-for-tests-that-is-long-enough',
      EVENT_KEYS: EVENT_KEY,
      PSEUDONYM_KEY: 'a-key-of-pseudonyms-for-tests-that-is-long-enough',
      DATA_KEYS: TEST_DATA_KEY,
      HOST: '127.0.0.1',
      PORT: '0',
      WORKER_PORT: '0',
      RELAY_PORT: '0',
      LOG_LEVEL: 'debug',
      LOGIN_LIMIT: '1000',
      ORDERS_PER_MINUTE: '0'
    }
  }
}

async function removeKeys (redis: Redis, prefix: string): Promise<void> {
  for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1000 })) if ((keys as string[]).length > 0) await redis.unlink(keys as string[])
  await redis.quit()
}

/** The file's virtual host; where none can be made, the given one, emptied. */
async function ownBroker (): Promise<string | null> {
  if (!TEST_RABBITMQ) return null
  const url = new URL(TEST_RABBITMQ)
  if (TEST_OWN_VHOSTS) url.pathname = `/${vhostOf(TEST_RUN!, relative(BUILD, process.argv[1]!))}`
  const connection = await amqpConnect(url.href)
  const channel = await connection.createChannel()
  await channel.deleteQueue('comanda.orders')
  await channel.deleteQueue('comanda.orders.dead')
  await connection.close()
  return url.href
}

/**
 * A pool of a test's own on the place's database, with types as the service reads them. An error of an idle connection is
 * nobody's: `end()` resolves before the last one is closed, and then its database is dropped.
 */
export function openPool (t: Test, place: Place, options: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: place.env.DATABASE_URL!, types: columnTypes, ...options })
  pool.on('error', () => {})
  t.teardown(async () => await pool.end())
  return pool
}

/** Ends every connection to a place's database and lets nobody in, until the returned function lets them in again. */
export async function shutDatabase (place: Place): Promise<() => Promise<void>> {
  const name = new URL(place.env.DATABASE_URL!).pathname.slice(1)
  await administer(TEST_POSTGRES!, `alter database ${name} allow_connections false`)
  await administer(TEST_POSTGRES!, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
  return async () => { await administer(TEST_POSTGRES!, `alter database ${name} allow_connections true`) }
}
