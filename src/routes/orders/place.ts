import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Placed } from '../../desk/order-desk.js'
import type { OrderError } from '../../orders/errors.js'
import { IdempotencyHeaders, OrderBatch, OrderBatchShown, OrderBody, OrderShown } from '../../orders/schemas.js'
import { askedBy } from './request.js'

const BATCH_BYTES = 1024 * 1024
const ORDERS_A_LINE = 250

/** Orders are placed one at a time, or many in one request. */
export const placeRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.authenticate)

  app.post('/orders', {
    config: {
      problems: ['key_reused', 'not_accepted', 'outcome_unknown'],
      answers: { 202: { description: 'The order is taken and cannot be lost any more', headers: ['location', 'etag', 'idempotency-replayed'] } }
    },
    schema: {
      tags: ['orders'],
      operationId: 'placeOrder',
      summary: 'Place an order',
      description: 'Answered 202 once the order cannot be lost any more; read it back at Location. A repetition under the same Idempotency-Key gets the same answer, with `Idempotency-Replayed: true`.',
      headers: IdempotencyHeaders,
      body: OrderBody,
      response: { 202: OrderShown }
    }
  }, async (request, reply) => {
    const { caller, request_id, traceparent } = askedBy(app, request)
    const { order, tag, event_id, replayed } = await app.orderDesk.place({ caller, request_id, traceparent, line: request.body, idempotency_key: request.headers['idempotency-key'] })
    request.logged = replayed ? { order_id: order.order_id, event_id, replayed } : { order_id: order.order_id, event_id }
    reply.code(202).header('location', locationOf(order.order_id)).header('etag', tag)
    if (replayed) reply.header('idempotency-replayed', 'true')
    return order
  })

  app.post('/orders/batch', {
    bodyLimit: BATCH_BYTES,
    attachValidation: true,
    schema: {
      tags: ['orders'],
      operationId: 'placeOrders',
      summary: 'Place many orders',
      description: 'Up to 500 orders, each with its own optional key and an answer of its own: a fault of one never hides the others. The same key twice is one order.',
      body: OrderBatch,
      response: { 207: OrderBatchShown }
    }
  }, async (request, reply) => {
    const faults = app.itemFaults(request)
    const { caller, request_id, traceparent } = askedBy(app, request)
    const sound = request.body.filter((_item, index) => !faults.has(index)).map((line) => ({ caller, request_id, traceparent, line, idempotency_key: line.idempotency_key }))
    const results = await app.orderDesk.placeAll(sound)
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
    request.log.info({ order_ids: order_ids.slice(from, from + ORDERS_A_LINE) }, 'batch continued')
  }
}

function resultOf (app: FastifyInstance, request: FastifyRequest, result: Placed | Error) {
  if (result instanceof Error) {
    const problem = app.problemOf(result, request)
    return { status: problem.status, problem }
  }
  const { order, tag, replayed } = result
  return { status: 202, order, location: locationOf(order.order_id), etag: tag, replayed }
}

function locationOf (orderId: string): string {
  return `/orders/${orderId}`
}
