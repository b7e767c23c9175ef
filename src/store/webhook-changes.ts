import { actionOnWebhook, actorOf, type ActionName, type Actor, type Requester } from '../users/actions.js'
import type { Delivery, Endpoint } from '../webhooks/endpoint.js'
import { recordAction } from './actions.js'
import { type Client, inTransaction, type Pool } from './database.js'
import { insertPing, replayDelivery } from './webhook-deliveries.js'
import { beginReplay, type EndpointChange, findEndpoint, insertEndpoint, type NewEndpoint, removeEndpoint, replaceSecrets, secretsOf, updateEndpoint } from './webhooks.js'

/** Each change of a webhook with its action, in one transaction: neither is ever there without the other. */

/** @returns null: the user has as many as one user may */
export async function createEndpointFor (pool: Pool, endpoint: NewEndpoint, by: Requester): Promise<Endpoint | null> {
  return await recorded(pool, 'webhook.created', endpoint.webhook_id, actorOf(by), async (client) => await insertEndpoint(client, endpoint))
}

/** @returns null: there is none such */
export async function changeEndpointFor (pool: Pool, webhookId: string, change: EndpointChange, by: Actor): Promise<Endpoint | null> {
  return await recorded(pool, 'webhook.changed', webhookId, by, async (client) => await updateEndpoint(client, webhookId, change))
}

/** @returns null: there is none such */
export async function removeEndpointFor (pool: Pool, webhookId: string, by: Requester): Promise<true | null> {
  return await recorded(pool, 'webhook.removed', webhookId, actorOf(by), async (client) => await removeEndpoint(client, webhookId) || null)
}

/** The new secret first; those before it, the newest of them, sign until their time is over. @returns null: there is none such */
export async function rotateSecretFor (pool: Pool, webhookId: string, { sealed, until, most }: { sealed: string, until: string, most: number }, by: Requester): Promise<true | null> {
  return await recorded(pool, 'webhook.secret_rotated', webhookId, actorOf(by), async (client) => {
    if (!await findEndpoint(client, webhookId, { hold: true })) return null
    const before = (await secretsOf(client, webhookId)).map((secret) => ({ ...secret, until: secret.until ?? until }))
    const good = before.filter((secret) => Date.parse(secret.until) > Date.now()).slice(0, most - 1)
    await replaceSecrets(client, webhookId, [{ sealed, until: null }, ...good])
    return true
  })
}

export async function pingFor (pool: Pool, webhookId: string, ping: { message_id: string, type: string }, by: Actor): Promise<Delivery> {
  return (await recorded(pool, 'webhook.tested', webhookId, by, async (client) => await insertPing(client, webhookId, ping.message_id, ping.type)))!
}

/** @returns null: there is none such */
export async function replayDeliveryFor (pool: Pool, webhookId: string, deliveryId: number, by: Actor): Promise<Delivery | null> {
  return await recorded(pool, 'webhook.replayed', webhookId, by, async (client) => await replayDelivery(client, webhookId, deliveryId))
}

/** @returns null: a part is being told again already */
export async function beginReplayFor (pool: Pool, webhookId: string, part: { after: number, before: number | null }, by: Actor): Promise<Endpoint | null> {
  return await recorded(pool, 'webhook.replayed', webhookId, by, async (client) => await beginReplay(client, webhookId, part))
}

async function recorded<T> (pool: Pool, action: ActionName, webhookId: string, by: Actor, work: (client: Client) => Promise<T | null>): Promise<T | null> {
  return await inTransaction(pool, async (client) => {
    const done = await work(client)
    if (done !== null) await recordAction(client, actionOnWebhook(by, action, webhookId))
    return done
  })
}
