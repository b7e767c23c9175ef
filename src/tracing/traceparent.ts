/** W3C Trace Context, section 3.2; anything else is ignored, as it asks. */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/

export function soundTraceparent (header: unknown): string | undefined {
  return typeof header === 'string' && TRACEPARENT.test(header) ? header : undefined
}

export function traceIdOf (header: unknown): string | undefined {
  return typeof header === 'string' ? TRACEPARENT.exec(header)?.[1] : undefined
}

/** For a log line: nothing where there is no sound header. */
export function traced (header: unknown): { trace_id?: string } {
  const trace_id = traceIdOf(header)
  return trace_id === undefined ? {} : { trace_id }
}
