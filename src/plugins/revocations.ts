import fp from 'fastify-plugin'
import { Redis } from 'ioredis'
import { Revocations } from '../cache/revocations.js'
import { logLine } from '../logs/log-line.js'
import { findEpoch } from '../store/users.js'
import { backOff } from '../time/back-off.js'
import { SESSION_S } from '../users/session.js'

/** Milliseconds. */
const RECONNECT = { first: 100, longest: 2000 }

declare module 'fastify' {
  interface FastifyInstance { revocations: Revocations }
}

/** Sessions that ended before their time, followed over a connection of their own: a subscriber reconnects for itself. */
export const revocationsPlugin = fp(async (app) => {
  const { redisUrl, redisPrefix } = app.config
  const redis = redisUrl === null ? null : subscriber(redisUrl)
  const revocations = new Revocations({
    redis,
    prefix: redisPrefix,
    lifeMs: SESSION_S * 1000,
    epochOf: async (userId) => await findEpoch(app.requestPool(), userId),
    onFailure: (error, user_id) => logLine(app.log, { event: 'revocation_not_shared', user_id, token_seconds: app.config.tokenSeconds, reason: error.message })
  })
  app.decorate('revocations', revocations)
  app.addHook('onReady', async () => { redis?.connect().catch(() => {}) }) // it tries again by itself
  app.addHook('onClose', async () => {
    revocations.stop()
    redis?.disconnect()
  })
}, { name: 'revocations', dependencies: ['config', 'postgres'] })

function subscriber (url: string): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    autoResubscribe: false, // Revocations does, and loads what it missed
    maxRetriesPerRequest: 0,
    commandTimeout: 500,
    connectTimeout: 1000,
    lazyConnect: true,
    retryStrategy: (times) => backOff(times - 1, RECONNECT)
  })
  return redis.on('error', () => {}) // the plugin `redis` tells that it is away
}
