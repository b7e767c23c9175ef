import Fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Config } from './config.js'
import { serverOptions } from './http/server.js'
import { createLogger } from './logs/logger.js'
import { amqpPlugin } from './plugins/amqp.js'
import { configPlugin } from './plugins/config.js'
import { errorsPlugin } from './plugins/errors.js'
import { healthPlugin } from './plugins/health.js'
import { httpPlugin } from './plugins/http.js'
import { metricsPlugin } from './plugins/metrics.js'
import { postgresPlugin } from './plugins/postgres.js'
import { serviceMetricsPlugin } from './plugins/service-metrics.js'
import { tracingPlugin } from './plugins/tracing.js'
import { tellingPlugin } from './relay/telling.js'

/** The relay, ready to listen: it tells others what the feed holds, and serves only its health and its metrics. */
export async function buildRelay (config: Config, logger: Logger = createLogger(config)): Promise<FastifyInstance> {
  const app = Fastify(serverOptions(config, logger))

  await app.register(configPlugin, { config })
  await app.register(tracingPlugin)
  await app.register(httpPlugin)
  await app.register(errorsPlugin)
  await app.register(metricsPlugin)
  await app.register(healthPlugin, { ready: (state) => state('postgres') === 'up', services: ['postgres', 'rabbitmq'] })

  await app.register(postgresPlugin)
  await app.register(amqpPlugin)
  await app.register(serviceMetricsPlugin)

  await app.register(tellingPlugin)
  return app as unknown as FastifyInstance
}
