import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { keepPrivate, withNextLink } from '../pages.js'
import { requestedOrder } from './request.js'
import { OrderParams, TimelineQuery, TimelineResponse } from './schemas.js'

/** What happened to one order. */
export const timelineRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.authenticate)
  keepPrivate(app)

  app.get('/orders/:order_id/events', {
    config: {
      problems: ['order_not_found', 'order_not_visible_yet', 'bad_cursor'],
      answers: { 200: { description: 'A page of the timeline', headers: ['link'] } }
    },
    schema: {
      tags: ['orders'],
      operationId: 'listOrderEvents',
      summary: 'Read what happened to one order',
      description: 'Every event by version: those applied, those rejected with their reason, and those accepted but not yet persisted.',
      params: OrderParams,
      querystring: TimelineQuery,
      response: { 200: TimelineResponse }
    }
  }, async (request, reply) => withNextLink(request, reply, await app.orderReader.timeline(requestedOrder(request), request.query, app.callerOf(request))))
}
