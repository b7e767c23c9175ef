import fp from 'fastify-plugin'
import { GroupError } from '../broker/group.js'
import { Intake } from '../broker/intake.js'
import { Publisher, type PublisherOptions } from '../broker/publisher.js'
import { logLine } from '../logs/log-line.js'
import { EVENTS, SECONDS } from '../metrics/histogram.js'
import type { Metrics } from '../metrics/metrics.js'
import type { SerializedEvent } from '../orders/envelope.js'
import { macFor } from '../secrets/mac.js'
import { insertFallback } from '../store/fallback-queue.js'
import { tracePublishing } from '../tracing/traced.js'
import { traced } from '../tracing/traceparent.js'

declare module 'fastify' {
  interface FastifyInstance { intake: Intake }
}

/** Milliseconds for an event to be committed to the fallback queue. */
const FALLBACK_LIMIT_MS = 3000

export const intakePlugin = fp(async (app) => {
  const publisher = new Publisher({
    confirmTimeoutMs: app.config.confirmTimeoutMs,
    mac: macFor(app.config.eventKeys, 'order message'),
    // A half-open connection would be noticed by its heartbeats only, three of them later.
    onStuck: () => app.broker?.renew(new Error('the broker does not confirm')),
    ...(app.metrics ? confirmsMeasured(app.metrics) : {})
  })
  app.broker?.attach(async (connection) => {
    connection.on('blocked', () => publisher.block(true))
    connection.on('unblocked', () => publisher.block(false))
    const channel = await connection.createConfirmChannel()
    publisher.use(channel)
    return channel
  })
  const write = async (serialized: SerializedEvent[]) => {
    if (app.health.state('postgres') === 'down') throw new GroupError('refused', 'Postgres is known to be away')
    await insertFallback(app.reservedPool, serialized)
  }
  const intake = new Intake(publisher, write, FALLBACK_LIMIT_MS, ({ event: { event_id, order, request_id, traceparent } }, why) => {
    logLine(app.log, { event: 'fallback_taken', order_id: order.order_id, event_id, request_id, user_id: order.user_id, ...traced(traceparent), reason: why.message })
  })
  if (app.traces) tracePublishing(app.traces, intake)
  app.decorate('intake', intake)
  if (app.metrics) registerIntakeMetrics(app.metrics, intake, publisher)
  // Registered after the services, so closed before them: nothing taken is left behind.
  app.addHook('onClose', async () => await intake.settled())
}, { name: 'intake', dependencies: ['config', 'metrics', 'tracing', 'health', 'postgres', 'amqp'] })

function confirmsMeasured (metrics: Metrics): Pick<PublisherOptions, 'onConfirmed'> {
  const sizes = metrics.histogram('comanda_publish_batch_events', 'Order events in a message that the broker confirmed', EVENTS)
  const seconds = metrics.histogram('comanda_publish_confirm_seconds', 'From publishing a message to its confirm', SECONDS)
  return {
    onConfirmed (events, ms) {
      sizes.observe(events)
      seconds.observe(ms / 1000)
    }
  }
}

function registerIntakeMetrics (metrics: Metrics, { taken, failed }: Intake, publisher: Publisher): void {
  metrics.counter('comanda_order_events_accepted_total', 'Order events taken, by the path they went; those of the type order.placed are orders', () =>
    Object.entries(taken).flatMap(([path, byType]) => Object.entries(byType).map(([type, value]) => ({ labels: { path, type }, value }))))
  metrics.counter('comanda_order_events_failed_total', 'Order events that neither path took', () =>
    Object.entries(failed).map(([reason, value]) => ({ labels: { reason }, value })))
  metrics.gauge('comanda_publisher_held_events', 'Order events that wait to be sent or to be confirmed', () => [{ value: publisher.held }])
}
