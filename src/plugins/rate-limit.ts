import rateLimit, { type FastifyRateLimitStore, normalizeIP } from '@fastify/rate-limit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Counts } from '../cache/counts.js'
import { clientAddress } from '../http/client-address.js'
import { ProblemError } from '../http/problems.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Where a request comes from, as far as one client reaches: an IPv4 address, or the first half of one of IPv6. */
    networkOf (request: FastifyRequest): string
    /** A preHandler hook that limits by something else than the address, beside the route's own limit. `what`: what several routes count together. */
    limitBy (keyOf: (request: FastifyRequest) => string, what?: string): (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  }
}

const WINDOW_MS = 60_000

/** Only where a route asks for it. Counted by all apis together, and by each for itself while Redis is away. */
export const rateLimitPlugin = fp(async (app) => {
  const { counts } = app
  const hidden = (value: string) => app.pseudonyms.of('address', value).toString('base64url', 0, 16)
  app.decorate('networkOf', (request: FastifyRequest) => normalizeIP(clientAddress(request.ip, request.socket.remoteAddress ?? '')))
  await app.register(rateLimit, {
    global: false,
    keyGenerator: (request) => hidden(app.networkOf(request)),
    store: storeOver(counts),
    errorResponseBuilder: () => new ProblemError('too_many_requests')
  })
  app.decorate('limitBy', (keyOf: (request: FastifyRequest) => string, what?: string) => async (request: FastifyRequest, reply: FastifyReply) => {
    // Their own hook runs once a request, whatever it counts.
    const { method, routeOptions: { url } } = request
    const { granted, endsInMs } = await counts.take([{ key: `by:${what ?? `${method}:${url}`}:${hidden(keyOf(request))}`, most: app.config.loginLimit }], WINDOW_MS)
    if (granted) return
    reply.header('retry-after', Math.max(Math.ceil(endsInMs / 1000), 1))
    throw new ProblemError('too_many_requests')
  })
}, { name: 'rate-limit', dependencies: ['config', 'errors', 'pseudonyms', 'redis'] })

/** What they ask of a store; each route's is its child. */
function storeOver (counts: Counts): new (options: object) => FastifyRateLimitStore {
  return class RouteCounts implements FastifyRateLimitStore {
    readonly #route: string

    constructor (options: { routeInfo?: { method?: string | string[], url?: string } }) {
      this.#route = `${String(options.routeInfo?.method)}:${options.routeInfo?.url}`
    }

    incr (key: string, answer: (error: Error | null, result?: { current: number, ttl: number }) => void, windowMs: number): void {
      counts.take([{ key: `${this.#route}:${key}`, most: Infinity }], windowMs)
        .then(({ counts: [current = 0], endsInMs }) => answer(null, { current, ttl: endsInMs }), answer)
    }

    child (options: object): FastifyRateLimitStore {
      return new RouteCounts(options)
    }
  }
}
