import fp from 'fastify-plugin'
import { GroupError } from '../broker/group.js'
import { Intake } from '../broker/intake.js'
import { Publisher } from '../broker/publisher.js'
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
    onStuck: () => app.broker?.renew(new Error('the broker does not confirm'))
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
  // Registered after the services, so closed before them: nothing taken is left behind.
  app.addHook('onClose', async () => await intake.settled())
}, { name: 'intake', dependencies: ['config', 'tracing', 'postgres', 'amqp'] })
