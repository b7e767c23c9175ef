import type { Span } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../config.js'
import { logLine } from '../logs/log-line.js'
import { version } from '../logs/logger.js'
import { within } from '../time/within.js'
import { currentSpan } from '../tracing/current.js'
import { soundTraceparent } from '../tracing/traceparent.js'
import type { Traces } from '../tracing/traces.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** null: traces are off, and nothing of OpenTelemetry is loaded */
    traces: Traces | null
    /** What a request's events are traced by: its span, or what it was asked with. */
    traceparentOf (request: FastifyRequest): string | undefined
  }
  interface FastifyRequest { span?: Span | null }
}

/** For the last spans to be taken: a process that closes has other things to do in its grace. */
const FLUSH_LIMIT_MS = 1000

/** The first of all: its hooks run around those of the others, and what they close is still traced. */
export const tracingPlugin = fp(async (app) => {
  const { traces: protocol } = app.config
  if (protocol === 'off') {
    app.decorate('traces', null)
    app.decorate('traceparentOf', ({ headers }) => soundTraceparent(headers.traceparent))
    return
  }
  await traceAll(app, protocol)
}, { name: 'tracing', dependencies: ['config'] })

async function traceAll (app: FastifyInstance, protocol: Exclude<Config['traces'], 'off'>): Promise<void> {
  const { openTraces } = await import('../tracing/open.js')
  const traces = openTraces({
    protocol,
    service: { name: `comanda-${app.config.process}`, version },
    onChange: (failure) => failure
      ? logLine(app.log, { event: 'collector_down', reason: failure.message })
      : logLine(app.log, { event: 'collector_up' })
  })
  app.decorate('traces', traces)
  app.decorate('traceparentOf', ({ span }) => span ? traces.traceparentOf(span) : undefined)
  app.decorateRequest('span', null)

  app.addHook('onRequest', (request, _reply, done) => {
    const { config, url } = request.routeOptions
    if (config.quiet === true) return done()
    const { method, headers: { traceparent } } = request
    request.span = traces.request(method, url, request.url.split('?', 1)[0]!, traceparent)
    currentSpan.run(request.span, done)
  })
  // The body was read in between, in no request's name.
  app.addHook('preValidation', ({ span }, _reply, done) => span ? currentSpan.run(span, done) : done())
  app.addHook('onResponse', ({ span }, { statusCode }, done) => {
    if (!span) return done()
    traces.answered(span, statusCode)
    currentSpan.run(span, done)
  })
  app.addHook('onClose', async () => await within(traces.stop(), FLUSH_LIMIT_MS))
}
