import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import fp from 'fastify-plugin'
import { Progress } from '../health/progress.js'
import type { Metrics } from '../metrics/metrics.js'
import { cursorStatus, type CursorStatus } from '../store/feed-cursors.js'
import { dueNow } from '../store/webhook-upkeep.js'
import { openExchange } from './exchange.js'
import type { Leadership } from './leadership.js'
import { openWebhooks } from './webhooks.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** What could be told now and is not: events for the exchange and for webhooks, and deliveries that are due. @throws StoreError */
    untold (): Promise<number>
  }
}

/** All that this process tells, from ready to preClose: it ends while every service is still open. */
export const tellingPlugin = fp(async (app) => {
  const { broker, config, health, metrics } = app
  const { pool } = app.pg
  const holder = `${hostname()}/${process.pid}/${randomUUID()}`
  const exchange = broker && openExchange(app, broker, holder)
  const webhooks = config.webhooks && openWebhooks(app, config.webhooks, holder)
  const led = { ...(exchange ? { exchange } : {}), ...(webhooks ? { webhooks: webhooks.fanout } : {}) }
  const progress = new Progress(led)
  health.follow(() => progress.report())
  const cursors = async () => (await cursorStatus(pool)).filter(({ name }) => name in led)
  app.decorate('untold', async () => {
    const lag = (await cursors()).reduce((sum, { lag }) => sum + lag, 0)
    return lag > 0 || !webhooks ? lag : await dueNow(pool)
  })
  if (metrics) registerCursors(metrics, Object.entries(led).map(([cursor, { leadership }]) => ({ cursor, leadership })), async () => health.state('postgres') === 'up' ? await cursors().catch(() => []) : [])
  app.addHook('onReady', async () => {
    exchange?.start()
    webhooks?.fanout.start()
    webhooks?.deliverer.start()
    progress.start()
  })
  app.addHook('preClose', async () => {
    await progress.stop()
    await Promise.all([exchange?.stop(), webhooks?.fanout.stop(), webhooks?.deliverer.stop()])
  })
}, { name: 'telling', dependencies: ['metrics', 'health', 'postgres', 'amqp'] })

/** The lag is the same in every relay; one of them holds the lease. */
function registerCursors (metrics: Metrics, led: ReadonlyArray<{ cursor: string, leadership: Leadership }>, read: () => Promise<CursorStatus[]>): void {
  const lagOf = (value: (status: CursorStatus) => number) => async () => (await read()).map((status) => ({ labels: { cursor: status.name }, value: value(status) }))
  const ownOf = (value: (leadership: Leadership) => number) => () => led.map(({ cursor, leadership }) => ({ labels: { cursor }, value: value(leadership) }))
  metrics.gauge('comanda_relay_lag_events', 'Settled events that are not told yet, counted to 100,000', lagOf(({ lag }) => lag))
  metrics.gauge('comanda_relay_lag_seconds', 'For how long the oldest of them has been settled', lagOf(({ lag_seconds }) => lag_seconds ?? 0))
  metrics.gauge('comanda_relay_lease', '1 in the process that tells from this cursor on', ownOf(({ holds }) => holds ? 1 : 0))
  metrics.counter('comanda_relay_retries_total', 'Windows that were not told or not recorded, and are told again', ownOf(({ retried }) => retried))
}
