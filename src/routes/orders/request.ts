import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Caller } from '../../users/roles.js'

/** Who asks, and what their request's events are traced by. */
export function requestContext (app: FastifyInstance, request: FastifyRequest): { caller: Caller, request_id: string, traceparent: string | undefined } {
  return { caller: app.callerOf(request), request_id: request.id, traceparent: app.traceparentOf(request) }
}

/** The order that a request is about, from its address; the request's line names it, whatever becomes of it. */
export function requestedOrder (request: Pick<FastifyRequest, 'logged'> & { params: { order_id: string } }): string {
  const order_id = request.params.order_id.toLowerCase()
  request.logged = { order_id }
  return order_id
}
