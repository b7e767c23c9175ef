import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { withNextLink } from '../pages.js'
import { requestedWebhook } from './request.js'
import { DeliveryPage, DeliveryParams, DeliveryQuery, DeliveryResponse, ReplayBody, WebhookParams, WebhookResponse } from './schemas.js'

/** What was delivered to webhooks, what was not, and how it is delivered again. */
export const deliveryRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { webhooks } = app
  if (!webhooks) return
  // Each calls an address of the caller's choice.
  const rateLimit = { max: app.config.loginLimit, timeWindow: '1 minute' }
  app.addHook('onRequest', app.authenticate)
  app.addHook('onSend', async (_request, reply) => { reply.header('cache-control', 'no-store') })

  app.post('/webhooks/:webhook_id/test', {
    config: { rateLimit, problems: ['webhook_not_found', 'endpoint_owner_only'], answers: { 202: { description: 'A delivery of `comanda.ping`, to be made now', headers: ['location'] } } },
    schema: { tags: ['webhooks'], operationId: 'testWebhook', summary: 'Send a test call', description: 'For its owner. It is made once, also to a disabled webhook; what became of it is read at `Location`.', params: WebhookParams, response: { 202: DeliveryResponse } }
  }, async (request, reply) => {
    const delivery = await webhooks.test(requestedWebhook(request), app.requesterOf(request))
    reply.code(202).header('location', `/webhooks/${delivery.webhook_id}/deliveries/${delivery.delivery_id}`)
    return delivery
  })

  app.get('/webhooks/:webhook_id/deliveries', {
    config: { problems: ['webhook_not_found', 'bad_cursor'], answers: { 200: { description: 'A page of deliveries', headers: ['link'] } } },
    schema: { tags: ['webhooks'], operationId: 'listDeliveries', summary: 'List deliveries with their attempts, newest first', description: 'For its owner and for operators. Delivered ones are kept for 30 days, those that were given up as long as the webhook.', params: WebhookParams, querystring: DeliveryQuery, response: { 200: DeliveryPage } }
  }, async (request, reply) => withNextLink(request, reply, await webhooks.deliveries(requestedWebhook(request), request.query, app.callerOf(request))))

  app.get('/webhooks/:webhook_id/deliveries/:delivery_id', {
    config: { problems: ['webhook_not_found', 'delivery_not_found'] },
    schema: { tags: ['webhooks'], operationId: 'getDelivery', summary: 'Read one delivery with its attempts', params: DeliveryParams, response: { 200: DeliveryResponse } }
  }, async (request) => await webhooks.delivery(requestedWebhook(request), Number(request.params.delivery_id), app.callerOf(request)))

  app.post('/webhooks/:webhook_id/deliveries/:delivery_id/replay', {
    config: { problems: ['webhook_not_found', 'delivery_not_found'], answers: { 202: { description: 'The delivery, due now' } } },
    schema: { tags: ['webhooks'], operationId: 'replayDelivery', summary: 'Deliver once more', description: 'For its owner and for operators. It keeps its `webhook-id`; one that is due already stays as it is.', params: DeliveryParams, response: { 202: DeliveryResponse } }
  }, async (request, reply) => {
    reply.code(202)
    return await webhooks.replayDelivery(requestedWebhook(request), Number(request.params.delivery_id), app.requesterOf(request))
  })

  app.post('/webhooks/:webhook_id/replay', {
    config: { problems: ['webhook_not_found', 'replay_running', 'bad_cursor'], answers: { 202: { description: 'The webhook; `replaying` tells what is left' } } },
    schema: { tags: ['webhooks'], operationId: 'replayWebhook', summary: 'Have a part of the feed delivered again', description: 'For its owner and for operators: events of its types behind one position and before another, delivered before or not. Each keeps its `webhook-id`.', params: WebhookParams, body: ReplayBody, response: { 202: WebhookResponse } }
  }, async (request, reply) => {
    reply.code(202)
    return await webhooks.replay(requestedWebhook(request), request.body, app.requesterOf(request))
  })
}
