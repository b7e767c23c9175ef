import Fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Config } from './config.js'
import { serverOptions } from './http/server.js'
import { createLogger } from './logs/logger.js'
import { amqpPlugin } from './plugins/amqp.js'
import { authPlugin } from './plugins/auth.js'
import { cacheMetricsPlugin } from './plugins/cache-metrics.js'
import { configPlugin } from './plugins/config.js'
import { consolePlugin } from './plugins/console.js'
import { errorsPlugin } from './plugins/errors.js'
import { exportsPlugin } from './plugins/exports.js'
import { feedPlugin } from './plugins/feed.js'
import { healthPlugin } from './plugins/health.js'
import { httpPlugin } from './plugins/http.js'
import { intakePlugin } from './plugins/intake.js'
import { loginAttemptsPlugin } from './plugins/login-attempts.js'
import { metricsPlugin } from './plugins/metrics.js'
import { openapiPlugin } from './plugins/openapi.js'
import { operationsPlugin } from './plugins/operations.js'
import { overviewPlugin } from './plugins/overview.js'
import { orderQuotaPlugin } from './plugins/order-quota.js'
import { orderUseCasesPlugin } from './plugins/order-usecases.js'
import { passwordsPlugin } from './plugins/passwords.js'
import { postgresPlugin } from './plugins/postgres.js'
import { pseudonymsPlugin } from './plugins/pseudonyms.js'
import { rateLimitPlugin } from './plugins/rate-limit.js'
import { redisPlugin } from './plugins/redis.js'
import { revocationsPlugin } from './plugins/revocations.js'
import { serviceMetricsPlugin } from './plugins/service-metrics.js'
import { takenNamesPlugin } from './plugins/taken-names.js'
import { tracingPlugin } from './plugins/tracing.js'
import { userUseCasesPlugin } from './plugins/user-usecases.js'
import { validationPlugin } from './plugins/validation.js'
import { webhooksPlugin } from './plugins/webhooks.js'
import { actionRoutes } from './routes/actions/actions.js'
import { tokenRoutes } from './routes/auth/token.js'
import { eventRoutes } from './routes/events/events.js'
import { consoleSessionRoutes } from './routes/console/session.js'
import { jobRoutes } from './routes/jobs/jobs.js'
import { changeRoutes } from './routes/orders/change.js'
import { placeRoutes } from './routes/orders/place.js'
import { readRoutes } from './routes/orders/read.js'
import { timelineRoutes } from './routes/orders/timeline.js'
import { overviewRoutes } from './routes/overview/overview.js'
import { parkedRoutes } from './routes/parked/parked.js'
import { settleRoutes } from './routes/parked/settle.js'
import { exportRoutes } from './routes/users/export.js'
import { userOrderRoutes } from './routes/users/orders.js'
import { passwordRoutes } from './routes/users/password.js'
import { roleRoutes } from './routes/users/role.js'
import { oneUserRoutes } from './routes/users/user.js'
import { userRoutes } from './routes/users/users.js'
import { deliveryRoutes } from './routes/webhooks/deliveries.js'
import { oneWebhookRoutes } from './routes/webhooks/webhook.js'
import { webhookRoutes } from './routes/webhooks/webhooks.js'

/**
 * The api, ready to listen. The written order is the architecture: what a request meets first, then the backing services,
 * then what is built on them, then routes. Fastify closes in the reverse order, so what stands on a service ends before it.
 */
export async function buildApi (config: Config, logger: Logger = createLogger(config)): Promise<FastifyInstance> {
  const app = Fastify(serverOptions(config, logger))

  await app.register(configPlugin, { config })
  await app.register(pseudonymsPlugin)
  await app.register(tracingPlugin)
  await app.register(httpPlugin)
  await app.register(validationPlugin)
  await app.register(errorsPlugin)
  await app.register(openapiPlugin)
  await app.register(metricsPlugin)
  // An order is accepted by the broker or by the fallback queue: either is enough.
  await app.register(healthPlugin, { ready: (state) => state('postgres') === 'up' || state('rabbitmq') === 'up' })

  await app.register(postgresPlugin)
  await app.register(redisPlugin)
  await app.register(revocationsPlugin)
  await app.register(amqpPlugin)
  await app.register(serviceMetricsPlugin)
  await app.register(cacheMetricsPlugin)

  await app.register(takenNamesPlugin)
  await app.register(passwordsPlugin)
  await app.register(authPlugin)
  await app.register(rateLimitPlugin)
  await app.register(loginAttemptsPlugin)
  await app.register(intakePlugin)
  await app.register(orderQuotaPlugin)
  await app.register(orderUseCasesPlugin)
  await app.register(feedPlugin)
  await app.register(userUseCasesPlugin)
  await app.register(exportsPlugin)
  await app.register(webhooksPlugin)
  await app.register(operationsPlugin)
  await app.register(overviewPlugin)
  await app.register(consolePlugin)

  await app.register(userRoutes)
  await app.register(oneUserRoutes)
  await app.register(passwordRoutes)
  await app.register(exportRoutes)
  await app.register(userOrderRoutes)
  await app.register(roleRoutes)
  await app.register(tokenRoutes)
  await app.register(consoleSessionRoutes)
  await app.register(placeRoutes)
  await app.register(readRoutes)
  await app.register(timelineRoutes)
  await app.register(changeRoutes)
  await app.register(eventRoutes)
  await app.register(webhookRoutes)
  await app.register(oneWebhookRoutes)
  await app.register(deliveryRoutes)
  await app.register(parkedRoutes)
  await app.register(settleRoutes)
  await app.register(jobRoutes)
  await app.register(actionRoutes)
  await app.register(overviewRoutes)
  return app as unknown as FastifyInstance
}
