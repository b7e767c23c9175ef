/** One line of api or worker: src/logs/catalogue.ts has its keys by `event`. Lines of another release may hold more, those of Fastify's own have no event. */
export interface Line {
  /** ISO 8601 */
  time: string
  level: string
  name: string
  event?: string
  msg: string
  request_id?: string
  order_id?: string
  order_ids?: readonly string[]
  request_ids?: readonly string[]
  duration_ms?: number
  reason?: string
  [key: string]: unknown
}

/** What stands before the line, as `docker compose logs` (in colours too) or `kubectl logs --prefix` write it, is passed over. @returns null when it is none */
export function parseLine (text: string): Line | null {
  const begin = text.indexOf('{')
  if (begin < 0) return null
  try {
    const value = JSON.parse(text.slice(begin)) as Line | null
    return isLine(value) ? value : null
  } catch {
    return null
  }
}

function isLine (value: Line | null): value is Line {
  return value !== null && [value.time, value.level, value.name, value.msg].every((member) => typeof member === 'string')
}
