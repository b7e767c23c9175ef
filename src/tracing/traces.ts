import { type Attributes, ROOT_CONTEXT, type Span, type SpanContext, SpanKind, type SpanOptions, SpanStatusCode, trace, TraceFlags, type Tracer } from '@opentelemetry/api'
import { parseTraceParent } from '@opentelemetry/core'
import { currentSpan } from './current.js'

/** What tells whose trace an order event belongs to. */
export interface TracedEvent {
  event_id: string
  /** W3C Trace Context; missing where the request was not traced */
  traceparent?: string | null | undefined
}

/** The spans of this service, by the names and attributes of OpenTelemetry's semantic conventions. No text from a client is in one. */
export class Traces {
  readonly #tracer: Tracer
  /** Sends what is left, and ends. */
  readonly stop: () => Promise<void>

  constructor (tracer: Tracer, stop: () => Promise<void>) {
    this.#tracer = tracer
    this.stop = stop
  }

  /** A request's span, until `answered`. @param traceparent of the client */
  request (method: string, route: string | undefined, path: string, traceparent: unknown): Span {
    return this.#start(route === undefined ? method : `${method} ${route}`, {
      kind: SpanKind.SERVER,
      attributes: { 'http.request.method': method, 'url.path': path, ...(route === undefined ? {} : { 'http.route': route }) }
    }, contextOf(traceparent))
  }

  /** W3C Trace Context, version 00, of this span. */
  traceparentOf (span: Span): string {
    const { traceId, spanId, traceFlags } = span.spanContext()
    return `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED) === 0 ? '00' : '01'}`
  }

  /** Ends a request's span. */
  answered (span: Span, status: number): void {
    span.setAttribute('http.response.status_code', status)
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  }

  /** Does the work in a span of its own, as a part of the present one. What is part of none, or of one not sampled, is not traced. */
  async inside<T> (name: string, kind: keyof typeof SpanKind, attributes: Attributes, work: (span: Span | null) => Promise<T>): Promise<T> {
    const parent = currentSpan.getStore()
    if (!parent?.isRecording()) return await work(null)
    return await during(this.#start(name, { kind: SpanKind[kind], attributes }, parent.spanContext()), work)
  }

  /**
   * Does a batch's work in a span that links to every sampled event in it, and gives each of these a span in its own trace for
   * as long, which links back. The batch itself is a part of the first sampled event's trace: so a sampled order always finds
   * its statements, whatever the share of requests that is sampled, and a lone order has them in its own trace.
   */
  async batch<T> (source: string, events: readonly TracedEvent[], work: () => Promise<T>): Promise<T> {
    const traced = events.flatMap(({ event_id, traceparent }) => {
      const context = contextOf(traceparent)
      return context === null ? [] : [{ event_id, context }]
    })
    const sampled = traced.filter(({ context }) => (context.traceFlags & TraceFlags.SAMPLED) !== 0)
    const batch = this.#start('book batch', {
      attributes: { 'comanda.source': source, 'messaging.batch.message_count': events.length },
      links: sampled.map(({ context }) => ({ context }))
    }, (sampled[0] ?? traced[0])?.context ?? null)
    const links = [{ context: batch.spanContext() }]
    const own = sampled.map(({ event_id, context }) => this.#start('process order event', {
      kind: SpanKind.CONSUMER, links, attributes: { 'messaging.operation.type': 'process', 'messaging.message.id': event_id, 'comanda.source': source }
    }, context))
    try {
      return await during(batch, work)
    } catch (error) {
      for (const span of own) fail(span, error)
      throw error
    } finally {
      for (const span of own) span.end()
    }
  }

  #start (name: string, options: SpanOptions, parent: SpanContext | null): Span {
    return this.#tracer.startSpan(name, options, parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent))
  }
}

/** What is no trace context is ignored, as W3C asks. */
function contextOf (traceparent: unknown): SpanContext | null {
  const context = typeof traceparent === 'string' ? parseTraceParent(traceparent) : null
  return context && { ...context, isRemote: true }
}

async function during<T> (span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    return await currentSpan.run(span, work, span)
  } catch (error) {
    fail(span, error)
    throw error
  } finally {
    span.end()
  }
}

/** Never the message: it may quote a value. */
function fail (span: Span, error: unknown): void {
  const { code, name } = error as { code?: unknown, name?: unknown }
  span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', String(code ?? name))
}
