import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Answer } from '../../desk/order-reader.js'
import { ChangeHeaders, OrderParams, OrderPatch, OrderShown, StatusBody } from '../../orders/schemas.js'
import { askedBy, orderAsked } from './request.js'

const found = ['order_not_found', 'order_not_visible_yet', 'stale', 'lost_race', 'version_not_visible_yet', 'not_accepted', 'outcome_unknown'] as const
const answers = {
  202: { description: 'The change is taken and cannot be lost any more, or is there already', headers: ['etag'] },
  409: { headers: ['etag'] },
  412: { headers: ['etag'] }
} as const
const shared = { tags: ['orders'], params: OrderParams, headers: ChangeHeaders, response: { 202: OrderShown } }

/** Orders changed: each change is answered 202 with the order as it will be. */
export const changeRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.authenticate)

  app.patch('/orders/:order_id', {
    config: { answers, problems: [...found, 'not_owner', 'not_amendable'] },
    schema: { ...shared, operationId: 'amendOrder', summary: 'Amend an order', description: 'Its owner may until it is paid. What changes nothing is answered with the order as it is.', body: OrderPatch }
  }, async (request, reply) => {
    const [order_id, if_match] = [orderAsked(request), request.headers['if-match']]
    return answer(request, reply, await app.orderChanges.amend({ ...askedBy(app, request), order_id, if_match }, request.body))
  })

  app.delete('/orders/:order_id', {
    config: { answers, problems: [...found, 'illegal_move'] },
    schema: { ...shared, operationId: 'cancelOrder', summary: 'Cancel an order', description: 'Its owner and operators may until it is shipped. Repeating it is safe.' }
  }, async (request, reply) => {
    const [order_id, if_match] = [orderAsked(request), request.headers['if-match']]
    return answer(request, reply, await app.orderChanges.cancel({ ...askedBy(app, request), order_id, if_match }))
  })

  app.put('/orders/:order_id/status', {
    config: { answers, problems: [...found, 'forbidden', 'illegal_move'] },
    schema: { ...shared, operationId: 'moveOrder', summary: 'Move an order along its lifecycle', description: 'For operators. Repeating it is safe.', body: StatusBody }
  }, async (request, reply) => {
    const [order_id, if_match] = [orderAsked(request), request.headers['if-match']]
    return answer(request, reply, await app.orderChanges.move({ ...askedBy(app, request), order_id, if_match }, request.body.status))
  })
}

function answer (request: Pick<FastifyRequest, 'logged'>, reply: FastifyReply, { order, tag, event_id }: Answer): Answer['order'] {
  request.logged = { order_id: order.order_id, event_id }
  reply.code(202).header('etag', tag)
  return order
}
