import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { entityTag } from '../http/entity-tags.js'
import { InputError } from '../http/input-faults.js'
import { type Faults, problemBody, type ProblemBody, type ProblemCode, ProblemError, problems } from '../http/problems.js'
import { OperationError } from '../jobs/errors.js'
import { logLine } from '../logs/log-line.js'
import { OrderError } from '../orders/errors.js'
import { ParkingError, type ParkingCode } from '../parking/parking-lot.js'
import { StoreError } from '../store/failures.js'
import { UserError } from '../users/errors.js'
import { WebhookError } from '../webhooks/errors.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** An error as the client may see it, for routes that answer several things at once. */
    problemOf (error: Error, request: FastifyRequest): ProblemBody
  }
}

/** Everything that reaches a client as an error passes here, from every layer, as RFC 9457 problem details. */
export const errorsPlugin = fp(async (app) => {
  const methods = new Map<RegExp, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const path = new RegExp(`^${url.replace(/:[^/]+/g, '[^/]+').replace(/\*$/, '.*')}$`)
    const known = [...methods.keys()].find((other) => other.source === path.source) ?? path
    methods.set(known, new Set([...(methods.get(known) ?? []), ...[method].flat()]))
  })

  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!
    const known = [...methods].filter(([pattern]) => pattern.test(path)).flatMap(([, allowed]) => [...allowed])
    // A route that knows the method and found nothing, as one of files does, ends here too.
    if (known.length === 0 || known.includes(request.method)) return sendProblem(request, reply, 'not_found')
    return sendProblem(request, reply.header('allow', known.join(', ')), 'method_not_allowed')
  })

  app.decorate('problemOf', (error: Error, request: FastifyRequest) => {
    return bodyFor(request, codeOf(error as FastifyError), error instanceof InputError ? error : undefined)
  })

  app.setErrorHandler((error: FastifyError, request, reply) => {
    const code = codeOf(error)
    const { status } = problems[code]
    if (error instanceof OrderError && error.about) request.logged = { ...request.logged, ...error.about }
    const about = { err: error, ...request.logged, reason: code }
    if (status === 500) logLine(request.log, { event: 'unhandled_error', ...about })
    else if (status === 503) logLine(request.log, { event: 'service_unavailable', ...about })
    if (error instanceof OrderError && error.present) reply.header('etag', entityTag(error.present))
    if (error instanceof UserError && error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter)
    return sendProblem(request, reply, code, faultsOf(error))
  })
}, { name: 'errors', dependencies: ['config'] })

export function sendProblem (request: FastifyRequest, reply: FastifyReply, code: ProblemCode, input?: Faults): FastifyReply {
  const problem: { status: number, retryAfter?: number } = problems[code]
  request.logged = { ...request.logged, reason: code }
  if (problem.retryAfter !== undefined && !reply.hasHeader('retry-after')) reply.header('retry-after', problem.retryAfter)
  if (problem.status === 401) reply.header('www-authenticate', code.startsWith('token_') && code !== 'token_missing' ? 'Bearer error="invalid_token"' : 'Bearer') // RFC 6750, section 3
  return reply
    .code(problem.status)
    .header('cache-control', 'no-store')
    // Serialized here: a route's response schema must not touch it.
    .serializer((body: unknown) => JSON.stringify(body))
    .type('application/problem+json')
    .send(bodyFor(request, code, input))
}

function bodyFor (request: FastifyRequest, code: ProblemCode, input: Faults | undefined): ProblemBody {
  return problemBody(code, { instance: request.url.split('?', 1)[0]!, request_id: request.id, input })
}

function faultsOf (error: Error): Faults | undefined {
  if (error instanceof InputError) return error
  const { member, detail } = ((error instanceof UserError || error instanceof WebhookError) && error.fault) || {}
  return member === undefined || detail === undefined ? undefined : { faults: [{ pointer: `#/${member}`, detail }], omitted: 0 }
}

/** Of errors that frameworks and plugins throw. A file that may not be read is none to a client. */
const BY_STATUS: Record<number, ProblemCode> = {
  400: 'bad_request', 403: 'not_found', 404: 'not_found', 408: 'request_timeout', 413: 'payload_too_large', 415: 'unsupported_media_type', 429: 'too_many_requests', 431: 'headers_too_large'
}

/** An id over HTTP is a whole one: it is never ambiguous. */
const BY_PARKING: Record<ParkingCode, ProblemCode> = {
  unknown: 'parked_not_found', ambiguous: 'parked_not_found', settled: 'parked_settled', unreadable: 'parked_unreadable', forged: 'parked_forged'
}

function codeOf (error: FastifyError): ProblemCode {
  if (error instanceof ProblemError || error instanceof OrderError || error instanceof UserError || error instanceof WebhookError || error instanceof OperationError) return error.code
  if (error instanceof ParkingError) return BY_PARKING[error.code]
  if (error instanceof InputError) return 'validation_failed'
  if (error instanceof StoreError) return codeOfStore(error)
  return codeOfStatus(error.statusCode ?? 500)
}

/** A value that Postgres cannot take (class 22, data exception) came from the client: no statement of ours makes one. */
function codeOfStore ({ code, sqlstate }: StoreError): ProblemCode {
  if (code === 'unavailable') return 'unavailable'
  return sqlstate?.startsWith('22') === true ? 'not_storable' : 'internal'
}

/** Whatever a plugin may refuse, a client's error stays one. */
function codeOfStatus (status: number): ProblemCode {
  return BY_STATUS[status] ?? (status >= 400 && status < 500 ? 'bad_request' : 'internal')
}
