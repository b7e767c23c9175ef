import rateLimit from '@fastify/rate-limit'
import fp from 'fastify-plugin'
import { ProblemError } from './errors.js'

/** Only where a route asks for it. Counted in each process: a login stays limited whether Redis answers or not. */
export const rateLimitPlugin = fp(async (app) => {
  await app.register(rateLimit, {
    global: false,
    errorResponseBuilder: () => new ProblemError('too_many_requests')
  })
}, { name: 'rate-limit', dependencies: ['errors'] })
