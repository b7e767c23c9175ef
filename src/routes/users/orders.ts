import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { OrderPage, OrderQuery } from '../orders/schemas.js'
import { withNextLink } from '../pages.js'
import { logTarget } from './request.js'
import { UserParams } from './schemas.js'

/** GET /orders, for one user. */
export const userOrderRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/users/:user_id/orders', {
    onRequest: app.authenticate,
    preHandler: logTarget,
    config: { problems: ['user_not_found', 'bad_cursor'], answers: { 200: { description: 'A page of orders', headers: ['link'] } } },
    schema: {
      tags: ['users'],
      operationId: 'listUserOrders',
      summary: 'List one user\'s persisted orders, newest first',
      description: 'For the user and for operators. Operators can still read the orders of an erased user.',
      params: UserParams,
      querystring: Type.Omit(OrderQuery, ['user_id'], { additionalProperties: false }),
      response: { 200: OrderPage }
    }
  }, async (request, reply) => {
    const caller = app.requesterOf(request)
    const user_id = await app.userAccounts.ownerOfOrders(request.params.user_id, caller)
    reply.header('cache-control', 'private, no-cache').header('vary', 'Authorization')
    return withNextLink(request, reply, await app.orderReader.list({ ...request.query, user_id }, caller))
  })
}
