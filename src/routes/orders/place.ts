import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { entityTag } from '../../http/entity-tags.js'
import { logLine } from '../../logs/log-line.js'
import type { OrderError } from '../../orders/errors.js'
import type { Placed } from '../../usecases/order-placement.js'
import { listedOrders, oneOrder } from './quota.js'
import { requestContext } from './request.js'
import { IdempotencyHeaders, OrderBatch, OrderBatchResponse, OrderBody, OrderResponse } from './schemas.js'

const BATCH_BYTES = 1024 * 1024
const ORDERS_A_LINE = 250

/** Orders are placed one at a time, or many in one request. */
export const placeRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.authenticate)

  app.post('/orders', {
    onRequest: oneOrder(app),
    config: {
      problems: ['too_many_orders', 'key_reused', 'not_accepted', 'outcome_unknown'],
      answers: { 202: { description: 'The order is accepted and can no longer be lost', headers: ['location', 'etag', 'idempotency-replayed'] } }
    },
    schema: {
      tags: ['orders'],
      operationId: 'placeOrder',
      summary: 'Place an order',
      description: 'Answers 202 once the order can no longer be lost; read it back at Location. Repeating the request with the same Idempotency-Key gets the same answer, with `Idempotency-Replayed: true`. Each user may place and change so many orders a minute; `RateLimit` says how many are left.',
      headers: IdempotencyHeaders,
      body: OrderBody,
      response: { 202: OrderResponse }
    }
  }, async (request, reply) => {
    const { caller, request_id, traceparent } = requestContext(app, request)
    const { order, event_id, replayed } = await app.orderPlacement.place({ caller, request_id, traceparent, input: request.body, idempotency_key: request.headers['idempotency-key'] })
    request.logged = replayed ? { order_id: order.order_id, event_id, replayed } : { order_id: order.order_id, event_id }
    reply.code(202).header('location', locationOf(order.order_id)).header('etag', entityTag(order))
    if (replayed) reply.header('idempotency-replayed', 'true')
    return order
  })

  app.post('/orders/batch', {
    bodyLimit: BATCH_BYTES,
    attachValidation: true,
    onRequest: oneOrder(app),
    preValidation: listedOrders(app),
    config: { problems: ['too_many_orders'] },
    schema: {
      tags: ['orders'],
      operationId: 'placeOrders',
      summary: 'Place many orders',
      description: 'Up to 500 orders, each with its own optional key and its own result: an error in one does not affect the others. Using the same key twice places one order. Every order of the list counts towards the orders a minute of its user; a list of more than are left is refused whole.',
      body: OrderBatch,
      response: { 207: OrderBatchResponse }
    }
  }, async (request, reply) => {
    const faults = app.itemFaults(request)
    const { caller, request_id, traceparent } = requestContext(app, request)
    const sound = request.body.filter((_item, index) => !faults.has(index)).map((input) => ({ caller, request_id, traceparent, input, idempotency_key: input.idempotency_key }))
    const results = await app.orderPlacement.placeAll(sound)
    logOrders(request, results)
    const placed = results.values()
    const items = request.body.map((_item, index) => resultOf(app, request, faults.get(index) ?? placed.next().value!))
    return await reply.code(207).send({ items })
  })
}

/** The request's line names the first orders, further lines the others: none is longer than what Docker keeps in one piece. */
function logOrders (request: Pick<FastifyRequest, 'logged' | 'log'> & { body: unknown[] }, results: ReadonlyArray<Placed | OrderError>): void {
  const order_ids = results.flatMap((result) => 'order' in result ? [result.order.order_id] : result.about ? [result.about.order_id] : [])
  request.logged = { batch_size: request.body.length, order_ids: order_ids.slice(0, ORDERS_A_LINE) }
  for (let from = ORDERS_A_LINE; from < order_ids.length; from += ORDERS_A_LINE) {
    logLine(request.log, { event: 'batch_continued', order_ids: order_ids.slice(from, from + ORDERS_A_LINE) })
  }
}

function resultOf (app: FastifyInstance, request: FastifyRequest, result: Placed | Error) {
  if (result instanceof Error) {
    const problem = app.problemOf(result, request)
    return { status: problem.status, problem }
  }
  const { order, replayed } = result
  return { status: 202, order, location: locationOf(order.order_id), etag: entityTag(order), replayed }
}

function locationOf (orderId: string): string {
  return `/orders/${orderId}`
}
