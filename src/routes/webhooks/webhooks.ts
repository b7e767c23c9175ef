import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { withNextLink } from '../pages.js'
import { CreatedWebhook, WebhookBody, WebhookPage, WebhookQuery } from './schemas.js'

/** Where users want to be told what happens. */
export const webhookRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { webhooks } = app
  if (!webhooks) return
  // Each asks name servers for a name of the caller's choice.
  const rateLimit = { max: app.config.loginLimit, timeWindow: '1 minute' }
  app.addHook('onRequest', app.authenticate)
  app.addHook('onSend', async (_request, reply) => { reply.header('cache-control', 'no-store') })

  app.post('/webhooks', {
    config: { rateLimit, problems: ['bad_endpoint', 'too_many_webhooks'], answers: { 201: { description: 'The new webhook, with its secret', headers: ['location'] } } },
    schema: {
      tags: ['webhooks'],
      operationId: 'createWebhook',
      summary: 'Register a webhook',
      description: 'A customer is told what happens to their own orders from now on, an operator of all. Each delivery is signed (Standard Webhooks) and tried up to ten times in three days. A user may have 20.',
      body: WebhookBody,
      response: { 201: CreatedWebhook }
    }
  }, async (request, reply) => {
    const { endpoint, secret, warning } = await webhooks.create(request.body, app.requesterOf(request))
    request.logged = { webhook_id: endpoint.webhook_id }
    reply.code(201).header('location', `/webhooks/${endpoint.webhook_id}`)
    return { ...endpoint, secret, ...(warning === null ? {} : { warning }) }
  })

  app.get('/webhooks', {
    config: { problems: ['bad_cursor'], answers: { 200: { description: 'A page of webhooks', headers: ['link'] } } },
    schema: { tags: ['webhooks'], operationId: 'listWebhooks', summary: 'List webhooks, newest first', description: 'Customers see their own; operators all, of others only the origin of the URL.', querystring: WebhookQuery, response: { 200: WebhookPage } }
  }, async (request, reply) => withNextLink(request, reply, await webhooks.list(request.query, app.callerOf(request))))
}
