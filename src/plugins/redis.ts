import fastifyRedis from '@fastify/redis'
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import { Redis } from 'ioredis'
import { Claims } from '../cache/claims.js'
import { IdempotencyKeys } from '../cache/idempotency-keys.js'
import { OrderViews } from '../cache/order-views.js'
import { traceCalls } from '../tracing/traced.js'
import { Breaker } from './breaker.js'
import { hostOf } from './health.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** All three are null where this process was told to run without Redis. */
    views: OrderViews | null
    claims: Claims | null
    idempotencyKeys: IdempotencyKeys | null
    /** How many of whose calls failed, since the start. */
    cacheFailures: Record<'view' | 'claim' | 'idempotency_key', number>
  }
}

/** ioredis tells it by no code. */
const TIMED_OUT = 'Command timed out'

/**
 * The client is our own, set to fail fast: a request never waits longer than REDIS_TIMEOUT_MS for it. @fastify/redis waits for
 * its client while registering, and ends it for good on a name that does not resolve yet: so it is registered on a side
 * instance, once the client is ready, and closes it in order.
 */
export const redisPlugin = fp(async (app) => {
  const { redisUrl, redisPrefix, redisTimeoutMs } = app.config
  const failures = { view: 0, claim: 0, idempotency_key: 0 }
  app.decorate('cacheFailures', failures)
  if (redisUrl === null) {
    app.decorate('views', null).decorate('claims', null).decorate('idempotencyKeys', null)
    app.health.set('redis', 'off', { message: 'no REDIS_URL: running without Redis, orders are read from Postgres' })
    return
  }
  const host = hostOf(redisUrl)
  const client = new Redis(redisUrl, {
    // Nothing of RESP3 is used, and ioredis takes a server that refuses its HELLO for one that needs no password, and prints so.
    protocol: 2,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: redisTimeoutMs,
    connectTimeout: 1000,
    lazyConnect: true,
    retryStrategy: (times) => Math.min(times * 100, 2000) * (0.5 + Math.random() / 2)
  })
  let cause: Error | undefined
  client.on('error', (error) => { cause = error })
  client.on('close', () => { if (!closing) app.health.set('redis', 'down', { host, cause, message: 'Redis is away: orders are read from Postgres, slower; trying again' }) })
  client.on('ready', () => {
    cause = undefined
    if (app.health.state('redis') === 'down') views.doubt()
    app.health.set('redis', 'up', { host, message: 'Redis is up' })
  })

  const side = Fastify({ pluginTimeout: 0 })
  client.once('ready', () => { void side.register(fastifyRedis, { client, closeClient: true }).ready() })

  const breaker = new Breaker(() => client.disconnect(true))
  const missed = (whose: keyof typeof failures, what: string) => (error: Error) => {
    failures[whose]++
    if (error.message === TIMED_OUT) breaker.strike()
    app.log.debug({ err: error }, `${what} not read or written`)
  }
  const views = new OrderViews(client, redisPrefix, missed('view', 'a view was'))
  const claims = new Claims(client, redisPrefix, missed('claim', 'a claim was'))
  const keys = new IdempotencyKeys(client, redisPrefix, missed('idempotency_key', 'an idempotency key was'))
  app.decorate('views', views).decorate('claims', claims).decorate('idempotencyKeys', keys)
  if (app.traces) {
    traceCalls(app.traces, views, 'views', ['get', 'put'])
    traceCalls(app.traces, claims, 'claims', ['take', 'release'])
    traceCalls(app.traces, keys, 'idempotency_keys', ['begin', 'accept', 'forget'])
  }
  let closing = false
  app.addHook('onReady', async () => { client.connect().catch(() => {}) }) // `close` reports it
  app.addHook('onClose', async () => {
    closing = true
    if (client.status === 'ready') await side.close().catch(() => {})
    client.disconnect()
  })
}, { name: 'redis', dependencies: ['config', 'tracing', 'health'] })
