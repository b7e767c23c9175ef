import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { entityTag, matchesIfNoneMatch } from '../../http/entity-tags.js'
import { keepPrivate, withNextLink } from '../pages.js'
import { requestedOrder } from './request.js'
import { OrderPage, OrderParams, OrderQuery, OrderResponse, ReadHeaders } from './schemas.js'

/** Orders read back: one, and many. */
export const readRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.authenticate)
  keepPrivate(app)

  app.get('/orders/:order_id', {
    config: {
      problems: ['order_not_found', 'order_not_visible_yet'],
      answers: { 200: { description: 'The order as it stands', headers: ['etag'] }, 304: { headers: ['etag'] } }
    },
    schema: {
      tags: ['orders'],
      operationId: 'getOrder',
      summary: 'Read one order',
      params: OrderParams,
      headers: ReadHeaders,
      response: { 200: OrderResponse }
    }
  }, async (request, reply) => {
    const { order } = await app.orderReader.find(requestedOrder(request), app.callerOf(request))
    reply.header('etag', entityTag(order))
    const held = request.headers['if-none-match']
    if (held !== undefined && matchesIfNoneMatch(held, order)) return await (reply as FastifyReply).code(304).send()
    return order
  })

  app.get('/orders', {
    config: {
      problems: ['bad_cursor', 'forbidden'],
      answers: { 200: { description: 'A page of orders', headers: ['link'] } }
    },
    schema: {
      tags: ['orders'],
      operationId: 'listOrders',
      summary: 'List persisted orders, newest first',
      description: 'Customers see their own orders; operators see all orders, or those of one user.',
      querystring: OrderQuery,
      response: { 200: OrderPage }
    }
  }, async (request, reply) => withNextLink(request, reply, await app.orderReader.list(request.query, app.requesterOf(request))))
}
