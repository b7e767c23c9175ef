import type { FastifyInstance } from 'fastify'
import { LONG_SECONDS } from '../metrics/histogram.js'
import type { Metrics } from '../metrics/metrics.js'
import { Keyring } from '../secrets/keyring.js'
import { webhookStatus, type WebhookStatus } from '../store/webhook-upkeep.js'
import { policyOf } from '../webhooks/endpoint-url.js'
import { type Failure, FAILURES } from '../webhooks/endpoint.js'
import { Sender } from '../webhooks/sender.js'
import { WebhookDeliverer } from './webhook-deliverer.js'
import { WebhookFanout } from './webhook-fanout.js'

/** Events turned into deliveries by one relay at a time, and delivered by all. */
export interface WebhookRelay {
  fanout: WebhookFanout
  deliverer: WebhookDeliverer
}

export function openWebhooks (app: FastifyInstance, settings: { httpsOnly: boolean, networks: readonly string[] | null }, holder: string): WebhookRelay {
  const { health, log, metrics } = app
  const { pool } = app.pg
  const storeIsUp = async (signal: AbortSignal) => await health.whenUp('postgres', signal)
  const sender = new Sender({ policy: policyOf(settings) })
  const deliverer = new WebhookDeliverer({ pool, sender, keyring: new Keyring(app.config.dataKeys), log, storeIsUp, ...(metrics ? attemptsMeasured(metrics) : {}) })
  const fanout = new WebhookFanout({ pool, holder, log, storeIsUp, onDue: () => deliverer.nudge() })
  if (metrics) registerStatus(metrics, async () => health.state('postgres') === 'up' ? await webhookStatus(pool).catch(() => null) : null)
  app.addHook('onClose', async () => sender.close())
  return { fanout, deliverer }
}

function attemptsMeasured (metrics: Metrics): { onAttempt: (failure: Failure | null, ms: number) => void, onGivenUp: () => void } {
  const failed = new Map<Failure, number>(FAILURES.map((failure) => [failure, 0]))
  let [delivered, givenUp] = [0, 0]
  const seconds = metrics.histogram('comanda_webhook_attempt_seconds', 'From the look-up of an endpoint\'s name to the end of its answer', LONG_SECONDS)
  metrics.counter('comanda_webhooks_delivered_total', 'Deliveries that an endpoint took', () => [{ value: delivered }])
  metrics.counter('comanda_webhook_attempts_failed_total', 'Attempts that were not, by the kind of failure', () => [...failed].map(([failure, value]) => ({ labels: { failure }, value })))
  metrics.counter('comanda_webhooks_given_up_total', 'Deliveries that are tried no more', () => [{ value: givenUp }])
  return {
    onAttempt: (failure, ms) => {
      seconds.observe(ms / 1000)
      if (failure === null) delivered++
      else failed.set(failure, failed.get(failure)! + 1)
    },
    onGivenUp: () => { givenUp++ }
  }
}

/** The same in every relay. */
function registerStatus (metrics: Metrics, read: () => Promise<WebhookStatus | null>): void {
  const of = (value: (status: WebhookStatus) => number) => async () => {
    const status = await read()
    return status ? [{ value: value(status) }] : []
  }
  metrics.gauge('comanda_webhooks_due', 'Deliveries to be tried, now or later, to enabled endpoints; counted to 100,000', of(({ due }) => due))
  metrics.gauge('comanda_webhooks_overdue_seconds', 'For how long the delivery that is overdue longest has been', of(({ oldest_seconds }) => oldest_seconds ?? 0))
  metrics.gauge('comanda_webhooks', 'Endpoints by state; `failing`: enabled, and the last attempt failed', async () => {
    const status = await read()
    return status ? (['enabled', 'failing', 'disabled'] as const).map((state) => ({ labels: { state }, value: state === 'enabled' ? status.enabled - status.failing : status[state] })) : []
  })
}
