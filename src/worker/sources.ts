import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { BrokerManagement } from '../broker/management.js'
import { virtualHostOf } from '../broker/nodes.js'
import { Progress } from '../health/progress.js'
import type { Metrics } from '../metrics/metrics.js'
import { macFor } from '../secrets/mac.js'
import { fallbackQueueAge } from '../store/fallback-queue.js'
import { countParked } from '../store/parked-events.js'
import { loggingFollower } from './batch-lines.js'
import { Booking } from './booking.js'
import { Commits } from './commits.js'
import { Consumer } from './consumer.js'
import { DeadLetters } from './dead-letters.js'
import { FallbackSource } from './fallback-source.js'
import { Jobs } from './jobs.js'
import { measuringFollower, registerBacklogMetrics, registerQueueMetrics, registerTableMetrics } from './metrics.js'
import { OrderMessages } from './order-messages.js'
import { StaleOrders } from './stale-orders.js'
import { viewsFollower } from './views.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether every source is empty: for a worker that drains and exits. */
    drained (): Promise<boolean>
  }
}

export interface ConsumerOptions {
  /** The fallback queue is worked off by asking `drained`, not in a loop of its own. */
  once: boolean
}

/** Rows that a look at the tables counts at most. */
const MOST_COUNTED = 100_000

function registerServiceMetrics ({ config: { amqpUrl, amqpManagementUrl }, health, reservedPool: pool }: FastifyInstance, metrics: Metrics): void {
  registerTableMetrics(metrics, async () => health.state('postgres') === 'up' ? { fallback: await fallbackQueueAge(pool, MOST_COUNTED), parked: (await countParked(pool, MOST_COUNTED)).open } : null)
  if (amqpUrl === null || amqpManagementUrl === null) return
  const management = new BrokerManagement(amqpManagementUrl)
  registerQueueMetrics(metrics, async () => await management.queueGroups(virtualHostOf(amqpUrl)))
}

/** All sources, from ready to preClose: they end while every service is still open. */
export const consumerPlugin = fp<ConsumerOptions>(async (app, { once }) => {
  const { broker, health, log, metrics, traces, views } = app
  const storeIsUp = async (signal: AbortSignal) => await health.whenUp('postgres', signal)
  const { pool } = app.pg
  const commits = new Commits({
    pool,
    log,
    traces,
    // What is counted first may be asked for by a reader of the view.
    followers: [...(metrics ? [measuringFollower(metrics)] : []), ...(views ? [viewsFollower(views)] : []), loggingFollower(log)]
  })
  const booking = new Booking(pool, commits)
  const mac = macFor(app.config.eventKeys, 'order message')
  const orders = new Consumer(new OrderMessages(booking, mac, log), { storeIsUp, log })
  const dead = new Consumer(new DeadLetters(booking), { storeIsUp, log })
  const fallback = new FallbackSource({ pool, booking, commits, log, storeIsUp })
  const jobs = new Jobs({ pool, trust: { mac }, log, storeIsUp })
  const { staleAfter } = app.config
  const stale = staleAfter === null ? null : new StaleOrders({ pool, staleAfter, log, storeIsUp })
  const progress = new Progress({ orders, dead, ...(once ? {} : { fallback }) })
  for (const consumer of [orders, dead]) broker?.attach(async (connection) => await consumer.attach(connection))
  health.follow(() => progress.report())
  if (metrics) {
    registerBacklogMetrics(metrics, progress, { orders, dead, fallback })
    registerServiceMetrics(app, metrics)
  }

  app.decorate('drained', async () => {
    if (health.state('postgres') !== 'up') return false
    const backlogs = broker === null ? [] : await Promise.all([orders.backlog(), dead.backlog()])
    const queuesAreEmpty = backlogs.every((backlog) => backlog !== null && backlog.ready + backlog.unsettled === 0)
    return await fallback.drainOnce() === 0 && await fallback.left() === 0 && queuesAreEmpty
  })
  app.addHook('onReady', async () => {
    for (const consumer of [orders, dead]) consumer.start()
    if (!once) {
      fallback.start()
      jobs.start()
      stale?.start()
    }
    progress.start()
  })
  app.addHook('preClose', async () => {
    await progress.stop()
    await Promise.all([orders.stop(), dead.stop(), fallback.stop(), jobs.stop(), stale?.stop()])
  })
}, { name: 'consumer', dependencies: ['config', 'metrics', 'tracing', 'health', 'postgres', 'redis', 'amqp'] })
