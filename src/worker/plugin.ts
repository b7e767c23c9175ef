import fp from 'fastify-plugin'
import { outboxAge } from '../store/outbox.js'
import { countParked } from '../store/parked-events.js'
import { Booking } from './booking.js'
import { Consumer } from './consumer.js'
import { DeadLetters } from './dead-letters.js'
import { OrderMessages } from './order-messages.js'
import { OutboxSource } from './outbox.js'
import { bookingMeasured, tellBacklogs, tellTables } from './metrics.js'
import { Progress } from './progress.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether every source is empty: for a worker that drains and exits. */
    drained (): Promise<boolean>
  }
}

export interface ConsumerOptions {
  /** The outbox is worked off by asking `drained`, not in a loop of its own. */
  once: boolean
}

/** Rows that a look at the tables counts at most. */
const MOST_COUNTED = 100_000

/** All sources, from ready to preClose: they end while every service is still open. */
export const consumerPlugin = fp<ConsumerOptions>(async (app, { once }) => {
  const { broker, health, log, metrics } = app
  const storeIsUp = async (signal: AbortSignal) => await health.whenUp('postgres', signal)
  const booking = new Booking({ pool: app.pg.pool, views: app.views, log, storeIsUp, traces: app.traces, ...(metrics ? bookingMeasured(metrics) : {}) })
  const orders = new Consumer(new OrderMessages(booking, log), { storeIsUp, log })
  const dead = new Consumer(new DeadLetters(booking), { storeIsUp, log })
  const outbox = new OutboxSource(booking, log)
  const progress = new Progress({ orders, dead, ...(once ? {} : { outbox }) })
  for (const consumer of [orders, dead]) broker?.attach(async (connection) => await consumer.attach(connection))
  health.follow(() => progress.report())
  if (metrics) {
    tellBacklogs(metrics, progress, { orders, dead, outbox })
    tellTables(metrics, async () => health.state('postgres') === 'up' ? { outbox: await outboxAge(app.reservedPool, MOST_COUNTED), parked: (await countParked(app.reservedPool, MOST_COUNTED)).open } : null)
  }

  app.decorate('drained', async () => {
    if (health.state('postgres') !== 'up') return false
    const backlogs = broker === null ? [] : await Promise.all([orders.backlog(), dead.backlog()])
    const queuesAreEmpty = backlogs.every((backlog) => backlog !== null && backlog.ready + backlog.unsettled === 0)
    return await outbox.drainOnce() === 0 && await outbox.left() === 0 && queuesAreEmpty
  })
  app.addHook('onReady', async () => {
    for (const consumer of [orders, dead]) consumer.start()
    if (!once) outbox.start()
    progress.start()
  })
  app.addHook('preClose', async () => {
    await progress.stop()
    await Promise.all([orders.stop(), dead.stop(), outbox.stop()])
  })
}, { name: 'consumer', dependencies: ['config', 'metrics', 'tracing', 'postgres', 'redis', 'amqp'] })
