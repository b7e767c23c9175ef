import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Caller } from '../../users/roles.js'

/** Who asks, and what their request's events are traced by. */
export function askedBy (app: FastifyInstance, request: FastifyRequest): { caller: Caller, request_id: string, traceparent: string | undefined } {
  return { caller: app.callerOf(request), request_id: request.id, traceparent: traceparentOf(request) }
}

/** W3C Trace Context, section 3.2; anything else is ignored, as it asks. */
function traceparentOf ({ headers: { traceparent } }: FastifyRequest): string | undefined {
  return typeof traceparent === 'string' && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent) ? traceparent : undefined
}
