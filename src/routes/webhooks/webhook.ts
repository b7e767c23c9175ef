import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { Registered } from '../../usecases/webhooks.js'
import { requestedWebhook } from './request.js'
import { WebhookParams, WebhookPatch, WebhookResponse, WebhookSecret } from './schemas.js'

/** One webhook: for its owner and for operators. To any other caller there is none such. */
export const oneWebhookRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { webhooks } = app
  if (!webhooks) return
  app.addHook('onRequest', app.authenticate)
  app.addHook('onSend', async (_request, reply) => { reply.header('cache-control', 'no-store') })

  app.get('/webhooks/:webhook_id', {
    config: { problems: ['webhook_not_found'] },
    schema: { tags: ['webhooks'], operationId: 'getWebhook', summary: 'Read one webhook', params: WebhookParams, response: { 200: WebhookResponse } }
  }, async (request) => await webhooks.find(requestedWebhook(request), app.callerOf(request)))

  app.patch('/webhooks/:webhook_id', {
    config: { rateLimit: { max: app.config.loginLimit, timeWindow: '1 minute' }, problems: ['webhook_not_found', 'endpoint_owner_only', 'bad_endpoint'] },
    schema: {
      tags: ['webhooks'],
      operationId: 'changeWebhook',
      summary: 'Change, enable or disable a webhook',
      description: 'For its owner; an operator may enable and disable it. Members left out stay unchanged. What waited while it was disabled is delivered when it is enabled again; what has waited for 30 days is given up, and can be replayed.',
      params: WebhookParams,
      body: WebhookPatch,
      response: { 200: WebhookResponse }
    }
  }, async (request) => answerOf(await webhooks.change(requestedWebhook(request), request.body, app.requesterOf(request))))

  app.delete('/webhooks/:webhook_id', {
    config: { problems: ['webhook_not_found'] },
    schema: { tags: ['webhooks'], operationId: 'removeWebhook', summary: 'Remove a webhook', description: 'For its owner and for operators. Nothing is delivered any more, and its deliveries are forgotten.', params: WebhookParams, response: { 204: Type.Null({ description: 'Removed' }) } }
  }, async (request, reply) => {
    await webhooks.remove(requestedWebhook(request), app.requesterOf(request))
    return await reply.code(204).send(null)
  })

  app.post('/webhooks/:webhook_id/secret', {
    config: { problems: ['webhook_not_found', 'endpoint_owner_only'], answers: { 200: { description: 'The new secret' } } },
    schema: { tags: ['webhooks'], operationId: 'rotateWebhookSecret', summary: 'Give a webhook a new secret', description: 'For its owner. For 24 hours deliveries are signed by the old one too.', params: WebhookParams, response: { 200: WebhookSecret } }
  }, async (request) => ({ secret: await webhooks.rotate(requestedWebhook(request), app.requesterOf(request)) }))
}

function answerOf ({ endpoint, warning }: Registered): WebhookResponse {
  return { ...endpoint, ...(warning === null ? {} : { warning }) }
}
