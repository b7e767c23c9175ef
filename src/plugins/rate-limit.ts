import rateLimit from '@fastify/rate-limit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ProblemError } from '../http/problems.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** A preHandler hook that limits by something else than the address, beside the route's own limit. */
    limitBy (keyOf: (request: FastifyRequest) => string): (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  }
}

/** Only where a route asks for it. Counted in each process: a login stays limited whether Redis answers or not. */
export const rateLimitPlugin = fp(async (app) => {
  await app.register(rateLimit, {
    global: false,
    errorResponseBuilder: () => new ProblemError('too_many_requests')
  })
  app.decorate('limitBy', (keyOf: (request: FastifyRequest) => string) => {
    // Their own hook runs once a request, whatever it counts.
    const count = app.createRateLimit({ max: app.config.loginLimit, timeWindow: '1 minute', keyGenerator: keyOf })
    return async (request: FastifyRequest, reply: FastifyReply) => {
      const counted = await count(request)
      if (counted.isAllowed || !counted.isExceeded) return
      reply.header('retry-after', counted.ttlInSeconds)
      throw new ProblemError('too_many_requests')
    }
  })
}, { name: 'rate-limit', dependencies: ['config', 'errors'] })
