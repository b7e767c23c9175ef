import { randomUUID } from 'node:crypto'
import { type Server, STATUS_CODES } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { type FastifyHttpOptions, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import fp from 'fastify-plugin'
import type { Logger } from 'pino'
import type { Config } from '../config.js'
import { traceIdOf } from '../orders/trace.js'
import { type Problem, problemBody, type ProblemCode, problems } from './problems.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** One line a request is logged, except for what probes ask every second. */
    quiet?: boolean
  }
  interface FastifyRequest {
    /** What the request's line names besides: never a value that a client made up. */
    logged: Logged | null
  }
}

export interface Logged {
  order_id?: string
  event_id?: string
  /** Of a request that places many; those beyond the line's measure stand in lines of their own. */
  order_ids?: readonly string[]
  batch_size?: number
  replayed?: true
  /** The stable code of the problem it was answered with. */
  reason?: string
}

/**
 * Between the signal and the end of listening: every busy connection gets an answer with `connection: close`, and whoever
 * balances load sees /readyz say no. Without it a request that arrives as its idle connection is closed is cut off.
 */
const LAST_ANSWERS_MS = 250
const SANE_REQUEST_ID = /^[\w.:-]{1,64}$/

/** Server options of both processes. All three time limits are needed: each alone let a slow client stay for 30 to 60 s. */
export function serverOptions (config: Config, logger: Logger): FastifyHttpOptions<Server, Logger> {
  return {
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: ({ headers }) => {
      const given = headers['x-request-id']
      return typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : randomUUID()
    },
    bodyLimit: 64 * 1024,
    connectionTimeout: 20_000,
    requestTimeout: 10_000,
    keepAliveTimeout: 65_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 1000 },
    // Requests that reach a closing server on a kept connection are served; see httpPlugin.
    return503OnClosing: false,
    trustProxy: config.trustProxy.length > 0 ? [...config.trustProxy] : false,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, request, reply) => {
      const code = error.statusCode === 404 ? 'not_found' : 'bad_request'
      // No hook and no route has seen this request: what they would add is added here.
      const plain: FastifyReply = reply
      const body = problemBody(code, { instance: request.url.split('?', 1)[0]!, request_id: request.id })
      request.log.info({ method: request.method, route: 'unknown', status: body.status, duration_ms: 0, reason: code }, 'request')
      void plain.code(body.status).headers({ 'x-request-id': request.id, 'cache-control': 'no-store' }).type('application/problem+json').send(JSON.stringify(body))
    },
    clientErrorHandler (error, socket) {
      if (error.code === 'ECONNRESET' || !socket.writable) return
      const [code, request_id] = [RAW_CODES[error.code] ?? 'bad_request', randomUUID()]
      logger.info({ request_id, route: 'unknown', status: problems[code].status, duration_ms: 0, reason: code }, 'request')
      socket.end(rawProblem(code, request_id))
    }
  }
}

const RAW_CODES: Record<string, ProblemCode> = { ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout', HPE_HEADER_OVERFLOW: 'headers_too_large' }

/** What is not even HTTP never becomes a request: the answer is written to the socket. */
function rawProblem (code: ProblemCode, request_id: string): string {
  const body = JSON.stringify(problemBody(code, { instance: '', request_id }))
  const { status, retryAfter }: Problem = problems[code]
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${request_id}`,
    ...(retryAfter === undefined ? [] : [`Retry-After: ${retryAfter}`]),
    'Connection: close',
    '',
    body
  ].join('\r\n')
}

/** One log line a request, the request's id given back, and a close that cuts nobody off. */
export const httpPlugin = fp(async (app) => {
  let closing = false
  app.decorateRequest('logged', null)
  app.removeContentTypeParser('text/plain')
  app.addHook('preClose', async () => {
    closing = true
    if (app.server.listening) await wait(LAST_ANSWERS_MS)
  })

  // Hooks of every request call back: a promise for each cost 14 % of the api's time an order.
  app.addHook('onSend', (request, reply, _payload, done) => {
    reply.header('x-request-id', request.id)
    // Without it `close()` waits for every kept connection to time out; forceCloseConnections would reset requests in flight.
    if (closing) reply.header('connection', 'close')
    done()
  })

  app.addHook('onResponse', (request, reply, done) => {
    const { config, url } = request.routeOptions // made anew whenever it is asked for
    if (config.quiet !== true) {
      const ms = reply.elapsedTime
      app.requestDurations?.observe(url, request.method, reply.statusCode, ms)
      request.log.info(lineOf(request, url ?? 'unknown', reply.statusCode, ms), 'request')
    }
    done()
  })
}, { name: 'http', dependencies: ['config'] })

/** Member by member: what is undefined is not written. */
function lineOf ({ method, caller, headers, logged }: FastifyRequest, route: string, status: number, ms: number): object {
  return {
    method,
    route,
    status,
    duration_ms: Math.round(ms * 1000) / 1000,
    user_id: caller?.user_id,
    trace_id: traceIdOf(headers.traceparent),
    order_id: logged?.order_id,
    event_id: logged?.event_id,
    order_ids: logged?.order_ids,
    batch_size: logged?.batch_size,
    replayed: logged?.replayed,
    reason: logged?.reason
  }
}
