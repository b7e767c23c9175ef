import { AsyncLocalStorage } from 'node:async_hooks'
import type { Span } from '@opentelemetry/api'

/** The span that the present work belongs to. Nothing of OpenTelemetry is loaded by it: log lines ask it too. */
export const currentSpan = new AsyncLocalStorage<Span>()

/** For a log line: the trace it was written in. */
export function traceOfLine (): { trace_id?: string } {
  const span = currentSpan.getStore()
  return span ? { trace_id: span.spanContext().traceId } : {}
}
