import type { OrderInput } from '../../src/orders/order.js'

/**
 * What is known of a request once it has ended. `ok`: it was done; `fail`: it was not done, for certain; `info`: it is not known
 * (no answer in time, a broken connection, a 5xx that does not say).
 */
export type Outcome = 'ok' | 'fail' | 'info'

/** An order as an answer showed it. */
export interface Seen extends OrderInput {
  order_id: string
  total_value: number
  status: string
  version: number
}

const PROBLEM_TYPE = 'urn:comanda:problem:'

/** The code in a problem body, as `order-not-found`; '' where there is none. */
export function problemIn (body: unknown): string {
  const type = (body as { type?: unknown } | null)?.type
  return typeof type === 'string' && type.startsWith(PROBLEM_TYPE) ? type.slice(PROBLEM_TYPE.length) : ''
}

/** 4xx and a 503 that says so were not done; of any other failure it is not known. */
export function outcomeOf (status: number, problem: string): Outcome {
  if (status >= 200 && status < 300) return 'ok'
  if (status >= 400 && status < 500) return 'fail'
  return status === 503 && problem === 'not-accepted' ? 'fail' : 'info'
}

export function seenIn (body: unknown): Seen | null {
  const { order_id, item_description, item_quantity, item_price, total_value, status, version } = (body ?? {}) as Seen
  return typeof order_id === 'string' ? { order_id, item_description, item_quantity, item_price, total_value, status, version } : null
}
