import fp from 'fastify-plugin'
import { redisClient } from '../cache/redis-client.js'
import { Revocations } from '../cache/revocations.js'
import { logLine } from '../logs/log-line.js'
import { findEpoch } from '../store/users.js'
import { SESSION_S } from '../users/session.js'

declare module 'fastify' {
  interface FastifyInstance { revocations: Revocations }
}

/** Sessions that ended before their time, followed over a connection of their own: a subscriber reconnects for itself. */
export const revocationsPlugin = fp(async (app) => {
  const { redisUrl, redisPrefix } = app.config
  // It loads what it missed by itself, and the plugin `redis` tells whether the server is there and fit.
  const redis = redisUrl === null ? null : redisClient(redisUrl, { autoResubscribe: false, commandTimeout: 500 }, { onFit: () => {}, onUnfit: () => {} })
  redis?.on('error', () => {})
  const revocations = new Revocations({
    redis,
    prefix: redisPrefix,
    lifeMs: SESSION_S * 1000,
    epochOf: async (userId) => await findEpoch(app.requestPool(), userId),
    onLacking: (commands) => {
      app.health.lack('redis', commands)
      if (commands.length > 0) logLine(app.log, { event: 'redis_rights_missing', commands, reason: `NOPERM: allow ${commands.map((command) => `+${command}`).join(' ')} and &${redisPrefix}* (ACL SETUSER)` })
    },
    onFailure: (error, user_id) => logLine(app.log, { event: 'revocation_not_shared', user_id, token_seconds: app.config.tokenSeconds, reason: error.message })
  })
  app.decorate('revocations', revocations)
  app.addHook('onReady', async () => { redis?.connect().catch(() => {}) }) // it tries again by itself
  app.addHook('onClose', async () => {
    revocations.stop()
    redis?.disconnect()
  })
}, { name: 'revocations', dependencies: ['config', 'health', 'postgres'] })
