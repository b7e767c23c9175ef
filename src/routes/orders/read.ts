import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { OrderPage, OrderParams, OrderQuery, OrderShown, ReadHeaders } from '../../orders/schemas.js'
import { holds } from '../../orders/tags.js'
import { keepPrivate, linked } from '../pages.js'
import { orderAsked } from './request.js'

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
      response: { 200: OrderShown }
    }
  }, async (request, reply) => {
    const { order, tag } = await app.orderReader.find(orderAsked(request), app.callerOf(request))
    reply.header('etag', tag)
    const held = request.headers['if-none-match']
    if (held !== undefined && holds(held, order)) return await (reply as FastifyReply).code(304).send()
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
      description: 'A customer sees their own; an operator everybody\'s, or one user\'s.',
      querystring: OrderQuery,
      response: { 200: OrderPage }
    }
  }, async (request, reply) => linked(request, reply, await app.orderReader.list(request.query, app.callerOf(request))))
}
