import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { IdempotencyHeaders, OrderBody, OrderPage, OrderParams, OrderQuery, OrderShown } from '../../orders/schemas.js'

/** Orders: placed, read back, listed. Everything here is for whoever holds a token. */
export const orderRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.authenticate)

  app.post('/orders', {
    schema: {
      tags: ['orders'],
      summary: 'Place an order',
      description: 'Answered 202 once the order cannot be lost any more; read it back at Location.',
      headers: IdempotencyHeaders,
      body: OrderBody,
      response: { 202: OrderShown }
    }
  }, async (request, reply) => {
    const { order, tag } = await app.orderDesk.place({
      caller: app.callerOf(request),
      line: request.body,
      request_id: request.id,
      idempotency_key: request.headers['idempotency-key'],
      traceparent: traceparentOf(request.headers)
    })
    reply.code(202).header('location', `/orders/${order.order_id}`).header('etag', tag)
    return order
  })

  app.get('/orders/:order_id', {
    schema: { tags: ['orders'], summary: 'Read one order', params: OrderParams, response: { 200: OrderShown } }
  }, async (request, reply) => {
    const { order, tag } = await app.orderDesk.find(request.params.order_id.toLowerCase(), app.callerOf(request))
    reply.header('etag', tag).header('cache-control', 'private, no-cache').header('vary', 'Authorization')
    return order
  })

  app.get('/orders', {
    schema: {
      tags: ['orders'],
      summary: 'List persisted orders, newest first',
      description: 'A customer sees their own; an operator everybody\'s, or one user\'s.',
      querystring: OrderQuery,
      response: { 200: OrderPage }
    }
  }, async (request, reply) => {
    const page = await app.orderDesk.list(request.query, app.callerOf(request))
    reply.header('cache-control', 'private, no-cache').header('vary', 'Authorization')
    if (page.next_cursor !== null) reply.header('link', `<${nextUrl(request.url, page.next_cursor)}>; rel="next"`)
    return page
  })
}

/** W3C Trace Context, section 3.2; anything else is ignored, as it asks. */
function traceparentOf (headers: Record<string, string | string[] | undefined>): string | undefined {
  const { traceparent } = headers
  return typeof traceparent === 'string' && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent) ? traceparent : undefined
}

/** The same list behind this cursor. RFC 8288. */
function nextUrl (url: string, cursor: string): string {
  const [path = '', query = ''] = url.split('?', 2)
  const next = new URLSearchParams(query)
  next.set('cursor', cursor)
  return `${path}?${next.toString()}`
}
