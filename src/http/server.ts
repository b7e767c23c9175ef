import type { Server } from 'node:http'
import { type FastifyHttpOptions, type FastifyReply, LogController } from 'fastify'
import type { Logger } from 'pino'
import type { Config } from '../config.js'
import { logLine } from '../logs/log-line.js'
import { answerHeaders } from './answer-headers.js'
import { problemBody, type ProblemCode } from './problems.js'
import { refuseRaw } from './raw-refusal.js'
import { clientRequestId, requestIds } from './request-ids.js'
import { trustedProxies } from '../addresses/trusted-proxies.js'

const RAW_CODES: Record<string, ProblemCode> = { ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout', HPE_HEADER_OVERFLOW: 'headers_too_large' }

/** Server options of both processes. All three time limits are needed: each alone let a slow client stay for 30 to 60 s. */
export function serverOptions (config: Config, logger: Logger): FastifyHttpOptions<Server, Logger> {
  const trusts = trustedProxies(config.trustProxy)
  return {
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: requestIds(trusts),
    bodyLimit: 64 * 1024,
    connectionTimeout: 20_000,
    requestTimeout: 10_000,
    keepAliveTimeout: 65_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 1000, requireHostHeader: false },
    // Requests that reach a closing server on a kept connection are served; see httpPlugin.
    return503OnClosing: false,
    trustProxy: config.trustProxy.length > 0 ? trusts : false,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, request, reply) => {
      const code = error.statusCode === 404 ? 'not_found' : 'bad_request'
      // No hook and no route has seen this request: what they would add is added here.
      const plain: FastifyReply = reply
      const body = problemBody(code, { instance: request.url.split('?', 1)[0]!, request_id: request.id })
      logLine(request.log, { event: 'request', method: request.method, route: 'unknown', status: body.status, duration_ms: 0, client_request_id: clientRequestId(request), reason: code })
      void plain.code(body.status).headers({ ...answerHeaders(request, trusts), 'cache-control': 'no-store' }).type('application/problem+json').send(JSON.stringify(body))
    },
    clientErrorHandler (error, socket) {
      // Opened ahead and never used, as browsers and load balancers do: they take what stands there for the answer to their next request.
      if (socket.bytesRead === 0) socket.destroy()
      if (error.code === 'ECONNRESET' || !socket.writable) return
      refuseRaw(logger, socket, RAW_CODES[error.code] ?? 'bad_request')
    }
  }
}
