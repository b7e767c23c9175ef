import fp from 'fastify-plugin'
import { Redis } from 'ioredis'
import { Revocations } from '../cache/revocations.js'
import { SESSION_S } from './auth.js'

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
    onFailure: (error, user_id) => app.log.warn({ user_id, token_seconds: app.config.tokenSeconds, reason: error.message },
      "Redis did not take the end of a user's sessions: in other processes their tokens live on for at most token_seconds; another change of the password ends them once Redis is back")
  })
  app.decorate('revocations', revocations)
  app.addHook('onReady', async () => { redis?.connect().catch(() => {}) }) // it tries again by itself
  app.addHook('onClose', async () => {
    revocations.stop()
    redis?.disconnect()
  })
}, { name: 'revocations', dependencies: ['config'] })

function subscriber (url: string): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    autoResubscribe: false, // Revocations does, and loads what it missed
    maxRetriesPerRequest: 0,
    commandTimeout: 500,
    connectTimeout: 1000,
    lazyConnect: true,
    retryStrategy: (times) => Math.min(times * 100, 2000) * (0.5 + Math.random() / 2)
  })
  return redis.on('error', () => {}) // the plugin `redis` tells that it is away
}
