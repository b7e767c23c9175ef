import type { IncomingMessage } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { answerHeaders } from '../http/answer-headers.js'
import { jsonText } from '../http/json-body.js'
import { ProblemError } from '../http/problems.js'
import { refuseRaw } from '../http/raw-refusal.js'
import { clientRequestId } from '../http/request-ids.js'
import { trustedProxies } from '../addresses/trusted-proxies.js'
import type { LogLine } from '../logs/catalogue.js'
import { logLine } from '../logs/log-line.js'
import type { RequestDurations } from '../metrics/request-durations.js'
import { traceIdOf } from '../tracing/traceparent.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** One line a request is logged, except for what probes ask every second. */
    quiet?: boolean
  }
  interface FastifyInstance {
    /** null: METRICS=off; the plugin `metrics` puts it here */
    requestDurations: RequestDurations | null
    /** What every answer has, for one that is written past Fastify. */
    answerHeadersOf (request: FastifyRequest): Record<string, string>
  }
  interface FastifyRequest {
    /** Its line is another one than that of a request that is answered at once. */
    quiet: boolean
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
  /** Whom an account's request was about, if not its caller. */
  target_user_id?: number
  webhook_id?: string
  /** The stable code of the problem it was answered with. */
  reason?: string
}

/**
 * Between the signal and the end of listening: every busy connection gets an answer with `connection: close`, and a
 * load balancer sees /readyz say no. Without it a request that arrives as its idle connection is closed is cut off.
 */
const LAST_ANSWERS_MS = 250

/** One log line a request, the request's id given back, and a close that cuts no request off. */
export const httpPlugin = fp(async (app) => {
  let [closing, warned] = [false, false]
  app.decorate('requestDurations', null)
  app.decorateRequest('logged', null)
  app.decorateRequest('quiet', false)
  app.removeContentTypeParser('text/plain')
  // Node would answer 417 by itself, in words of its own, to any expectation but 100-continue; it may be passed over (RFC 9110, section 10.1.1).
  app.server.on('checkExpectation', (request, response) => { app.routing(request, response) })
  // Node would close the connection without a word. From here on the socket is ours: its errors end the process, and it stays open, unless seen to here.
  app.server.on('connect', (_request, socket) => {
    socket.on('error', () => {})
    socket.once('finish', () => socket.destroy())
    refuseRaw(app.log, socket, 'bad_request')
  })
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    try {
      const text = jsonText(request.headers, bytes)
      if (text === null) done(null, undefined)
      else void parse(request, text, done)
    } catch (error) {
      done(error as Error)
    }
  })
  app.addHook('onRequest', (request, _reply, done) => {
    const { raw, headers } = request
    // Many clients name a type on every request. Where nothing is sent there is nothing that it could be the type of (RFC 9110, section 8.3).
    if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) delete raw.headers['content-type']
    done(isHostClear(raw) ? undefined : new ProblemError('bad_request'))
  })
  app.addHook('preClose', async () => {
    closing = true
    if (app.server.listening) await wait(LAST_ANSWERS_MS)
  })

  const trusts = trustedProxies(app.config.trustProxy)
  app.decorate('answerHeadersOf', (request: FastifyRequest) => answerHeaders(request, trusts))
  // Hooks of every request call back: a promise for each cost 14 % of the api's time an order.
  app.addHook('onSend', (request, reply, _payload, done) => {
    reply.headers(answerHeaders(request, trusts))
    // Without it `close()` waits for every kept connection to time out; forceCloseConnections would reset requests in flight.
    if (closing) reply.header('connection', 'close')
    done()
  })

  app.addHook('onResponse', (request, reply, done) => {
    if (!warned && app.config.trustProxy.length === 0 && request.headers['x-forwarded-for'] !== undefined) {
      warned = true
      logLine(request.log, { event: 'proxy_not_trusted', reason: 'x-forwarded-for' })
    }
    const { config, url } = request.routeOptions // made anew whenever it is asked for
    if (config.quiet !== true && !request.quiet) {
      const ms = reply.elapsedTime
      app.requestDurations?.observe(url, request.method, reply.statusCode, ms)
      logLine(request.log, lineOf(request, url ?? 'unknown', reply.statusCode, ms))
    }
    done()
  })
}, { name: 'http', dependencies: ['config'] })

/** One line says which host is meant, in HTTP/1.1 always: Node would refuse none in words of its own, and take the first of two (RFC 9112, section 3.2). */
function isHostClear ({ headers, httpVersion, rawHeaders }: IncomingMessage): boolean {
  if (headers.host === undefined) return httpVersion !== '1.1'
  let lines = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!
    if (name.length === 4 && name.toLowerCase() === 'host') lines++
  }
  return lines < 2
}

/** Member by member: what is undefined is not written. */
function lineOf (request: FastifyRequest, route: string, status: number, ms: number): LogLine<'request'> {
  const { method, caller, headers, logged } = request
  return {
    event: 'request',
    method,
    route,
    status,
    duration_ms: Math.round(ms * 1000) / 1000,
    user_id: caller?.user_id,
    client_request_id: headers['x-request-id'] === undefined ? undefined : clientRequestId(request),
    trace_id: traceIdOf(headers.traceparent),
    order_id: logged?.order_id,
    event_id: logged?.event_id,
    order_ids: logged?.order_ids,
    batch_size: logged?.batch_size,
    replayed: logged?.replayed,
    target_user_id: logged?.target_user_id,
    reason: logged?.reason
  }
}
