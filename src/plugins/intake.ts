import fp from 'fastify-plugin'
import { GroupError } from '../broker/group.js'
import { Intake } from '../broker/intake.js'
import { Publisher, type PublisherOptions } from '../broker/publisher.js'
import { EVENTS, SECONDS } from '../metrics/histogram.js'
import type { Metrics } from '../metrics/metrics.js'
import type { SealedEvent } from '../orders/envelope.js'
import { traced } from '../orders/trace.js'
import { insertOutbox } from '../store/outbox.js'
import { tracePublishing } from '../tracing/traced.js'

declare module 'fastify' {
  interface FastifyInstance { intake: Intake }
}

/** Milliseconds for an event to be committed to the outbox. */
const OUTBOX_LIMIT_MS = 3000

export const intakePlugin = fp(async (app) => {
  const publisher = new Publisher({
    confirmTimeoutMs: app.config.confirmTimeoutMs,
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
  const write = async (sealed: SealedEvent[]) => {
    if (app.health.state('postgres') === 'down') throw new GroupError('refused', 'Postgres is known to be away')
    await insertOutbox(app.reservedPool, sealed.map(({ event }) => event))
  }
  const intake = new Intake(publisher, write, OUTBOX_LIMIT_MS, ({ event: { event_id, order, request_id, traceparent } }, why) => {
    app.log.info({ order_id: order.order_id, event_id, request_id, user_id: order.user_id, ...traced(traceparent), reason: why.message }, 'order event taken by the outbox')
  })
  if (app.traces) tracePublishing(app.traces, intake)
  app.decorate('intake', intake)
  if (app.metrics) tellIntake(app.metrics, intake, publisher)
  // Registered after the services, so closed before them: nothing taken is left behind.
  app.addHook('onClose', async () => await intake.settled())
}, { name: 'intake', dependencies: ['config', 'metrics', 'tracing', 'postgres', 'amqp'] })

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

function tellIntake (metrics: Metrics, { taken, failed }: Intake, publisher: Publisher): void {
  metrics.counter('comanda_order_events_accepted_total', 'Order events taken, by the road they went; those of the type order.placed are orders', () =>
    Object.entries(taken).flatMap(([road, byType]) => Object.entries(byType).map(([type, value]) => ({ labels: { road, type }, value }))))
  metrics.counter('comanda_order_events_failed_total', 'Order events that neither road took', () =>
    Object.entries(failed).map(([reason, value]) => ({ labels: { reason }, value })))
  metrics.gauge('comanda_publisher_held_events', 'Order events that wait to be sent or to be confirmed', () => [{ value: publisher.held }])
}
