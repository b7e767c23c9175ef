import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler, preValidationHookHandler } from 'fastify'
import { ProblemError } from '../../http/problems.js'
import { OrderBatch } from './schemas.js'

/** One order a request, also where its body proves to be none: refused before it is read. */
export function oneOrder (app: FastifyInstance): onRequestHookHandler {
  return (request, reply, done) => done(refusal(app, request, reply, 1))
}

/** Behind `oneOrder`, as many as the body lists, sound or not: all are placed or refused together, before any of them is looked at. */
export function listedOrders (app: FastifyInstance): preValidationHookHandler {
  return (request, reply, done) => {
    const listed = Array.isArray(request.body) ? request.body.length : 1
    done(refusal(app, request, reply, Math.min(Math.max(listed, 1), OrderBatch.maxItems!), 1))
  }
}

/** The fields are those of draft-ietf-httpapi-ratelimit-headers-10. */
function refusal ({ takeOrders, config: { ordersPerMinute } }: FastifyInstance, request: FastifyRequest, reply: FastifyReply, orders: number, before = 0): ProblemError | undefined {
  if (!takeOrders) return
  const { granted, left, seconds } = takeOrders(request, orders, before)
  reply.header('ratelimit-policy', `"orders";q=${ordersPerMinute};w=60`).header('ratelimit', `"orders";r=${left};t=${seconds}`)
  if (granted) return
  reply.header('retry-after', seconds)
  return new ProblemError('too_many_orders')
}
