import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { entityTag, preconditionOf } from '../../http/entity-tags.js'
import type { Answer } from '../../usecases/order-reader.js'
import { oneOrder } from './quota.js'
import { requestContext, requestedOrder } from './request.js'
import { ChangeHeaders, OrderParams, OrderPatch, OrderResponse, StatusBody } from './schemas.js'

const found = ['order_not_found', 'order_not_visible_yet', 'stale', 'lost_race', 'version_not_visible_yet', 'not_accepted', 'outcome_unknown'] as const
const answers = {
  202: { description: 'The change is accepted and can no longer be lost, or the order is already so', headers: ['etag'] },
  409: { headers: ['etag'] },
  412: { headers: ['etag'] }
} as const
const shared = { tags: ['orders'], params: OrderParams, headers: ChangeHeaders, response: { 202: OrderResponse } }

/** Changes to orders: each is answered 202 with the order as it will be. */
export const changeRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.authenticate)

  app.patch('/orders/:order_id', {
    onRequest: oneOrder(app),
    config: { answers, problems: [...found, 'too_many_orders', 'not_owner', 'not_amendable'] },
    schema: { ...shared, operationId: 'amendOrder', summary: 'Amend an order', description: 'For the owner, until the order is paid. A change that changes nothing returns the order as it is.', body: OrderPatch }
  }, async (request, reply) => {
    const [order_id, precondition] = [requestedOrder(request), preconditionOf(request.headers['if-match'])]
    return answer(request, reply, await app.orderChanges.amend({ ...requestContext(app, request), order_id, precondition }, request.body))
  })

  app.delete('/orders/:order_id', {
    onRequest: oneOrder(app),
    config: { answers, problems: [...found, 'too_many_orders', 'illegal_move'] },
    schema: { ...shared, operationId: 'cancelOrder', summary: 'Cancel an order', description: 'For the owner and for operators, until the order is shipped. Safe to repeat.' }
  }, async (request, reply) => {
    const [order_id, precondition] = [requestedOrder(request), preconditionOf(request.headers['if-match'])]
    return answer(request, reply, await app.orderChanges.cancel({ ...requestContext(app, request), order_id, precondition }))
  })

  app.put('/orders/:order_id/status', {
    config: { answers, problems: [...found, 'forbidden', 'illegal_move'] },
    schema: { ...shared, operationId: 'moveOrder', summary: 'Move an order along its lifecycle', description: 'For operators. Safe to repeat.', body: StatusBody }
  }, async (request, reply) => {
    const [order_id, precondition] = [requestedOrder(request), preconditionOf(request.headers['if-match'])]
    return answer(request, reply, await app.orderChanges.move({ ...requestContext(app, request), order_id, precondition }, request.body.status))
  })
}

function answer (request: Pick<FastifyRequest, 'logged'>, reply: FastifyReply, { order, event_id }: Answer): Answer['order'] {
  request.logged = { order_id: order.order_id, event_id }
  reply.code(202).header('etag', entityTag(order))
  return order
}
