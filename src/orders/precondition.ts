import type { Order } from './order.js'

/** The versions upon which a change may be built, or `any` that exists; null: the client named none. */
export type Precondition = readonly number[] | 'any' | null

export function isMet (precondition: Precondition, { version }: Order): boolean {
  return precondition === null || precondition === 'any' || precondition.includes(version)
}

/** Whether the client knows a later version than this one. */
export function isAhead (precondition: Precondition, { version }: Order): boolean {
  return Array.isArray(precondition) && precondition.some((named) => named > version)
}
