import type { Line } from './parse.js'

/** What a reader asks for; all of it must hold. */
export interface Wanted {
  /** Lines about this order, batches that hold it included. */
  order?: string | undefined
  request?: string | undefined
  /** Milliseconds that it took at least. */
  slow?: number | undefined
  /** Warnings and errors alone. */
  errors?: boolean | undefined
}

const ERRORS = new Set(['warn', 'error', 'fatal'])

export function isWanted (line: Line, { order, request, slow, errors = false }: Wanted): boolean {
  return (order === undefined || names(order, line.order_id, line.order_ids)) &&
    (request === undefined || isAbout(request, line)) &&
    (slow === undefined || (typeof line.duration_ms === 'number' && line.duration_ms >= slow)) &&
    (!errors || ERRORS.has(line.level))
}

/** By the id of the request, or by what its client called it. */
function isAbout (request: string, line: Line): boolean {
  return line.client_request_id === request || names(request, line.request_id, line.request_ids)
}

function names (id: string, one: unknown, many: unknown): boolean {
  return one === id || (Array.isArray(many) && many.includes(id))
}
