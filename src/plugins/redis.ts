import fastifyRedis from '@fastify/redis'
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import { AcceptedEvents } from '../cache/accepted-events.js'
import { Breaker } from '../cache/breaker.js'
import { ChangeLocks } from '../cache/change-locks.js'
import { IdempotencyKeys } from '../cache/idempotency-keys.js'
import { OrderViews } from '../cache/order-views.js'
import { Counts } from '../cache/counts.js'
import { OrderUse } from '../cache/order-use.js'
import { redisClient } from '../cache/redis-client.js'
import { hostOf } from '../addresses/service-urls.js'
import { logLine } from '../logs/log-line.js'
import { macFor } from '../secrets/mac.js'
import { traceCalls } from '../tracing/traced.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** All are null where this process was told to run without Redis. */
    views: OrderViews | null
    changeLocks: ChangeLocks | null
    idempotencyKeys: IdempotencyKeys | null
    orderUse: OrderUse | null
    acceptedEvents: AcceptedEvents | null
    /** Without Redis it counts in this process. */
    counts: Counts
    /** How many of whose calls failed, since the start. */
    cacheFailures: Record<'view' | 'change_lock' | 'idempotency_key' | 'limit', number>
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
  const { redisUrl, redisPrefix, redisTimeoutMs, eventKeys } = app.config
  const failures = { view: 0, change_lock: 0, idempotency_key: 0, limit: 0 }
  app.decorate('cacheFailures', failures)
  if (redisUrl === null) {
    app.decorate('views', null).decorate('changeLocks', null).decorate('idempotencyKeys', null).decorate('orderUse', null).decorate('acceptedEvents', null).decorate('counts', new Counts(null, redisPrefix, () => {}))
    app.health.set('redis', 'off')
    return
  }
  const host = hostOf(redisUrl)
  let cause: Error | undefined
  // Nothing of RESP3 is used, and ioredis takes a server that refuses its HELLO for one that needs no password, and prints so.
  const client = redisClient(redisUrl, { protocol: 2, commandTimeout: redisTimeoutMs }, {
    onFit: () => {
      cause = undefined
      if (app.health.state('redis') === 'down') views.doubt()
      app.health.set('redis', 'up', { host })
    },
    onUnfit: (why) => {
      cause = why
      // What an unfit server was told or has shown counts as much as what one that is away was.
      app.health.set('redis', 'down', { host, cause })
    }
  })
  client.on('error', (error) => { cause = error })
  client.on('close', () => { if (!closing) app.health.set('redis', 'down', { host, cause }) })

  const side = Fastify({ pluginTimeout: 0 })
  client.once('ready', () => { void side.register(fastifyRedis, { client, closeClient: true }).ready() })

  const breaker = new Breaker(() => client.disconnect(true))
  const missed = (whose: keyof typeof failures) => (error: Error) => {
    failures[whose]++
    if (error.message === TIMED_OUT) breaker.strike()
    logLine(app.log, { event: `${whose}_missed`, err: error })
  }
  const views = new OrderViews(client, redisPrefix, macFor(eventKeys, 'order view'), missed('view'))
  const changeLocks = new ChangeLocks(client, redisPrefix, missed('change_lock'))
  const keys = new IdempotencyKeys(client, redisPrefix, macFor(eventKeys, 'idempotency key'), missed('idempotency_key'))
  app.decorate('views', views).decorate('changeLocks', changeLocks).decorate('idempotencyKeys', keys)
  app.decorate('acceptedEvents', new AcceptedEvents(client, redisPrefix, missed('limit')))
  app.decorate('orderUse', new OrderUse(client, redisPrefix, missed('limit'))).decorate('counts', new Counts(client, redisPrefix, missed('limit')))
  if (app.traces) {
    traceCalls(app.traces, views, 'views', ['get', 'put', 'mark'])
    traceCalls(app.traces, changeLocks, 'change_locks', ['take', 'release'])
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
