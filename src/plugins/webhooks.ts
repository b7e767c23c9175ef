import fp from 'fastify-plugin'
import { newId } from '../ids.js'
import { Keyring } from '../secrets/keyring.js'
import { highestPosition } from '../store/feed.js'
import { beginReplayFor, changeEndpointFor, createEndpointFor, pingFor, removeEndpointFor, replayDeliveryFor, rotateSecretFor } from '../store/webhook-changes.js'
import { findDelivery, listDeliveries } from '../store/webhook-deliveries.js'
import { findEndpoint, listEndpoints } from '../store/webhooks.js'
import { inTime } from '../time/in-time.js'
import { Webhooks, type WebhooksPort } from '../usecases/webhooks.js'
import { policyOf } from '../webhooks/endpoint-url.js'
import { secretPlace } from '../webhooks/secret-place.js'
import { leadsAstray } from '../webhooks/sender.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** null: there are none here */
    webhooks: Webhooks | null
  }
}

/** Name servers that take longer are as good as none. */
const LOOK_UP_MS = 3000

/** Endpoints of webhooks and what was delivered to them; relays deliver. */
export const webhooksPlugin = fp(async (app) => {
  const { webhooks: settings, dataKeys } = app.config
  if (settings === null) {
    app.decorate('webhooks', null)
    return
  }
  const policy = policyOf(settings)
  const keyring = new Keyring(dataKeys)
  const store: WebhooksPort = {
    create: async (endpoint, by) => await createEndpointFor(app.requestPool(), endpoint, by),
    list: async (page) => await listEndpoints(app.requestPool(), page),
    find: async (webhookId) => await findEndpoint(app.requestPool(), webhookId),
    change: async (webhookId, change, by) => await changeEndpointFor(app.requestPool(), webhookId, change, by),
    remove: async (webhookId, by) => await removeEndpointFor(app.requestPool(), webhookId, by),
    rotate: async (webhookId, secret, by) => await rotateSecretFor(app.requestPool(), webhookId, secret, by),
    ping: async (webhookId, ping, by) => await pingFor(app.requestPool(), webhookId, ping, by),
    deliveries: async (page) => await listDeliveries(app.requestPool(), page),
    delivery: async (webhookId, deliveryId) => await findDelivery(app.requestPool(), webhookId, deliveryId),
    replayDelivery: async (webhookId, deliveryId, by) => await replayDeliveryFor(app.requestPool(), webhookId, deliveryId, by),
    replay: async (webhookId, part, by) => await beginReplayFor(app.requestPool(), webhookId, part, by),
    highest: async () => await highestPosition(app.requestPool())
  }
  app.decorate('webhooks', new Webhooks({
    store,
    policy,
    leadsAstray: async (url) => await inTime(leadsAstray(url, policy), LOOK_UP_MS).catch(() => null),
    seal: (webhookId, secret) => keyring.seal(secret, secretPlace(webhookId)),
    newId
  }))
}, { name: 'webhooks', dependencies: ['config', 'postgres'] })
