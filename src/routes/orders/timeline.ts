import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { OrderParams, TimelineQuery, TimelineShown } from '../../orders/schemas.js'
import { keepPrivate, linked } from '../pages.js'
import { orderAsked } from './request.js'

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
      description: 'Every event by version: applied ones, rejected ones with their reason, and what is only accepted yet.',
      params: OrderParams,
      querystring: TimelineQuery,
      response: { 200: TimelineShown }
    }
  }, async (request, reply) => linked(request, reply, await app.orderReader.timeline(orderAsked(request), request.query, app.callerOf(request))))
}
