import type { OrderInput } from '../../src/orders/order.js'
import type { Asked } from './asking.js'

/** What clients ask for, as requests. Who asks is said by `as`, and the rest of the headers is the client's own. */

export const PASSWORD = 'nine quiet lanterns'

export interface Newcomer { nick_name: string, full_name: string, cpf: string }

export function register ({ nick_name, full_name, cpf }: Newcomer): Asked {
  return { method: 'POST', path: '/users', body: { nick_name, password: PASSWORD, full_name, cpf, email: `${nick_name}@example.com`, phone_number: '+55 11 91234-5678' } }
}

export function logIn (nick_name: string, password: string = PASSWORD): Asked {
  return { method: 'POST', path: '/auth/token', body: { nick_name, password } }
}

export function renew (): Asked {
  return { method: 'POST', path: '/auth/token/renew' }
}

export function place (line: OrderInput, key?: string): Asked {
  return { method: 'POST', path: '/orders', headers: key === undefined ? {} : { 'idempotency-key': key }, body: line }
}

export function placeBatch (placements: ReadonlyArray<{ line: OrderInput, key?: string | undefined }>): Asked {
  return { method: 'POST', path: '/orders/batch', body: placements.map(({ line, key }) => ({ ...line, ...(key === undefined ? {} : { idempotency_key: key }) })) }
}

/** @param version that it must have; missing: any */
export function amend (orderId: string, change: Partial<OrderInput>, version?: number): Asked {
  return { method: 'PATCH', path: `/orders/${orderId}`, headers: ifMatch(version), body: change }
}

export function cancel (orderId: string, version?: number): Asked {
  return { method: 'DELETE', path: `/orders/${orderId}`, headers: ifMatch(version) }
}

export function move (orderId: string, status: string, version?: number): Asked {
  return { method: 'PUT', path: `/orders/${orderId}/status`, headers: ifMatch(version), body: { status } }
}

export function read (orderId: string): Asked {
  return { method: 'GET', path: `/orders/${orderId}` }
}

export function list (limit: number): Asked {
  return { method: 'GET', path: `/orders?limit=${limit}` }
}

/** The same request with these headers besides. */
export function withHeaders (asked: Asked, headers: Record<string, string>): Asked {
  return { ...asked, headers: { ...asked.headers, ...headers } }
}

function ifMatch (version: number | undefined): Record<string, string> {
  return version === undefined ? {} : { 'if-match': `"${version}"` }
}
