import Fastify, { type FastifyInstance, type RouteShorthandOptions } from 'fastify'
import fp from 'fastify-plugin'
import type { Logger } from 'pino'
import { NOSNIFF } from '../http/answer-headers.js'
import { serverOptions } from '../http/server.js'
import { Metrics } from '../metrics/metrics.js'
import { RequestDurations } from '../metrics/request-durations.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** null: METRICS=off */
    metrics: Metrics | null
    /** What serves /metrics on OPS_PORT, to be listened on; null: nothing does */
    opsServer: FastifyInstance | null
  }
}

const route: RouteShorthandOptions = {
  config: { quiet: true, answers: { 200: { description: 'The metrics' } } },
  logLevel: 'warn',
  schema: {
    tags: ['operations'],
    security: [],
    operationId: 'readMetrics',
    summary: 'Metrics in the Prometheus text format; only on OPS_PORT where that is set',
    response: { 200: { content: { 'text/plain': { schema: { type: 'string' } } } } }
  }
}

/** `/metrics` in the Prometheus text format: on the port of the process, or on OPS_PORT and only there. METRICS=off leaves all of it out. */
export const metricsPlugin = fp(async (app) => {
  const { config } = app
  const metrics = config.metrics ? new Metrics() : null
  app.decorate('metrics', metrics)
  app.requestDurations = metrics && new RequestDurations(metrics)
  const side = metrics && config.opsPort !== null ? Fastify({ ...serverOptions(config, app.log as Logger), forceCloseConnections: true }) : null
  side?.addHook('onSend', (_request, reply, _payload, done) => {
    reply.headers(NOSNIFF)
    done()
  })
  app.decorate('opsServer', side as FastifyInstance | null)
  app.addHook('onClose', async () => await side?.close())
  if (metrics) serve((side ?? app) as FastifyInstance, metrics)
}, { name: 'metrics', dependencies: ['config', 'http', 'errors'] })

function serve (server: FastifyInstance, metrics: Metrics): void {
  server.get('/metrics', route, async (_request, reply) => await reply.type(metrics.contentType).header('cache-control', 'no-store').send(await metrics.text()))
}
