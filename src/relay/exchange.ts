import type { FastifyInstance } from 'fastify'
import { EventPublisher } from '../broker/event-publisher.js'
import type { BrokerSessions } from '../broker/sessions.js'
import { SECONDS } from '../metrics/histogram.js'
import type { Metrics } from '../metrics/metrics.js'
import { ExchangeRelay } from './exchange-relay.js'

const CONFIRM_TIMEOUT_MS = 10_000

/** The exchange, told on a channel of its own. */
export function openExchange (app: FastifyInstance, broker: BrokerSessions, holder: string): ExchangeRelay {
  const { health, log, metrics } = app
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
    holder,
    log,
    storeIsUp: async (signal) => await health.whenUp('postgres', signal),
    ...(metrics ? confirmsMeasured(metrics) : {})
  })
  metrics?.counter('comanda_relay_events_told_total', 'Events that the broker confirmed, repeated ones included', () => [{ labels: { cursor: 'exchange' }, value: relay.told }])
  return relay
}

function confirmsMeasured (metrics: Metrics): { onTold: (events: number, ms: number) => void } {
  const seconds = metrics.histogram('comanda_relay_confirm_seconds', 'From publishing a window of events to the last of its confirms', SECONDS)
  return { onTold: (_events, ms) => seconds.observe(ms / 1000) }
}
