import fp from 'fastify-plugin'
import { Booking } from './booking.js'
import { Consumer } from './consumer.js'
import { OutboxSource } from './outbox.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether both sources are empty: for a worker that drains and exits. */
    drained (): Promise<boolean>
  }
}

export interface ConsumerOptions {
  /** The outbox is worked off by asking `drained`, not in a loop of its own. */
  once: boolean
}

/** Both sources, from ready to preClose: they end while every service is still open. */
export const consumerPlugin = fp<ConsumerOptions>(async (app, { once }) => {
  const booking = new Booking({
    pool: app.pg.pool,
    views: app.views,
    log: app.log,
    storeIsUp: async (signal) => await app.health.whenUp('postgres', signal)
  })
  const consumer = new Consumer(booking, app.log)
  const outbox = new OutboxSource(booking, app.log)
  app.broker?.attach(async (connection) => await consumer.attach(connection))
  app.decorate('drained', async () => {
    if (app.health.state('postgres') !== 'up') return false
    const queueIsEmpty = app.broker === null || await consumer.drained()
    return await outbox.drainOnce() === 0 && queueIsEmpty
  })
  app.addHook('onReady', async () => {
    consumer.start()
    if (!once) outbox.start()
  })
  app.addHook('preClose', async () => {
    await Promise.all([consumer.stop(), outbox.stop()])
  })
}, { name: 'consumer', dependencies: ['config', 'postgres', 'redis', 'amqp'] })
