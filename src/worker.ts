import Fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Config } from './config.js'
import { serverOptions } from './http/server.js'
import { createLogger } from './logs/logger.js'
import { amqpPlugin } from './plugins/amqp.js'
import { cacheMetricsPlugin } from './plugins/cache-metrics.js'
import { configPlugin } from './plugins/config.js'
import { errorsPlugin } from './plugins/errors.js'
import { healthPlugin } from './plugins/health.js'
import { httpPlugin } from './plugins/http.js'
import { metricsPlugin } from './plugins/metrics.js'
import { postgresPlugin } from './plugins/postgres.js'
import { redisPlugin } from './plugins/redis.js'
import { serviceMetricsPlugin } from './plugins/service-metrics.js'
import { tracingPlugin } from './plugins/tracing.js'
import { consumerPlugin } from './worker/sources.js'

/**
 * The worker, ready to listen: the same plugins in the same order as the api, the consumer last, so that it is drained
 * before any connection closes. It serves only its health and its metrics.
 * @param once for a worker that asks `drained` and ends
 */
export async function buildWorker (config: Config, logger: Logger = createLogger(config), { once = false } = {}): Promise<FastifyInstance> {
  const app = Fastify(serverOptions(config, logger))

  await app.register(configPlugin, { config })
  await app.register(tracingPlugin)
  await app.register(httpPlugin)
  await app.register(errorsPlugin)
  await app.register(metricsPlugin)
  await app.register(healthPlugin, { ready: (state) => state('postgres') === 'up' })

  await app.register(postgresPlugin)
  await app.register(redisPlugin)
  await app.register(amqpPlugin)
  await app.register(serviceMetricsPlugin)
  await app.register(cacheMetricsPlugin)

  await app.register(consumerPlugin, { once })
  return app as unknown as FastifyInstance
}
