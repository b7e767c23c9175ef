import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import fp from 'fastify-plugin'
import { EventPublisher } from '../broker/event-publisher.js'
import { Progress } from '../health/progress.js'
import { SECONDS } from '../metrics/histogram.js'
import type { Metrics } from '../metrics/metrics.js'
import type { CursorStatus } from '../store/feed-cursors.js'
import { ExchangeRelay } from './exchange-relay.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** What the exchange was not told yet; null: this process runs without it */
    untold (): Promise<CursorStatus | null>
  }
}

const CONFIRM_TIMEOUT_MS = 10_000

/** All that this process tells, from ready to preClose: it ends while every service is still open. */
export const tellingPlugin = fp(async (app) => {
  const { broker, health, log, metrics } = app
  if (!broker) {
    app.decorate('untold', async () => null)
    return
  }
  const publisher = new EventPublisher({ confirmTimeoutMs: CONFIRM_TIMEOUT_MS, onStuck: () => broker.renew(new Error('the broker does not confirm')) })
  broker.attach(async (connection) => {
    connection.on('blocked', () => publisher.block(true))
    connection.on('unblocked', () => publisher.block(false))
    const channel = await connection.createConfirmChannel()
    publisher.use(channel)
    return channel
  })
  const relay = new ExchangeRelay({
    pool: app.pg.pool,
    publisher,
    holder: `${hostname()}/${process.pid}/${randomUUID()}`,
    log,
    storeIsUp: async (signal) => await health.whenUp('postgres', signal),
    ...(metrics ? confirmsMeasured(metrics) : {})
  })
  const progress = new Progress({ exchange: relay })
  health.follow(() => progress.report())
  app.decorate('untold', async () => await relay.status())
  if (metrics) registerRelayMetrics(metrics, relay, () => health.state('postgres') === 'up')
  app.addHook('onReady', async () => {
    relay.start()
    progress.start()
  })
  app.addHook('preClose', async () => {
    await progress.stop()
    await relay.stop()
  })
}, { name: 'telling', dependencies: ['metrics', 'health', 'postgres', 'amqp'] })

function confirmsMeasured (metrics: Metrics): { onTold: (events: number, ms: number) => void } {
  const seconds = metrics.histogram('comanda_relay_confirm_seconds', 'From publishing a window of events to the last of its confirms', SECONDS)
  return { onTold: (_events, ms) => seconds.observe(ms / 1000) }
}

/** The lag is the same in every relay; whoever holds the lease is one. */
function registerRelayMetrics (metrics: Metrics, relay: ExchangeRelay, storeIsUp: () => boolean): void {
  const status = async () => storeIsUp() ? await relay.status().catch(() => null) : null
  const of = (read: (status: CursorStatus) => number) => async () => {
    const found = await status()
    return found ? [{ labels: { cursor: found.name }, value: read(found) }] : []
  }
  metrics.gauge('comanda_relay_lag_events', 'Settled events that are not told yet, counted to 100,000', of(({ lag }) => lag))
  metrics.gauge('comanda_relay_lag_seconds', 'For how long the oldest of them has been settled', of(({ lag_seconds }) => lag_seconds ?? 0))
  metrics.gauge('comanda_relay_lease', '1 in the process that tells the exchange', () => [{ labels: { cursor: 'exchange' }, value: relay.holds ? 1 : 0 }])
  metrics.counter('comanda_relay_events_told_total', 'Events that the broker confirmed, repeated ones included', () => [{ labels: { cursor: 'exchange' }, value: relay.told }])
  metrics.counter('comanda_relay_retries_total', 'Windows that were not confirmed or not recorded, and are told again', () => [{ labels: { cursor: 'exchange' }, value: relay.retried }])
}
