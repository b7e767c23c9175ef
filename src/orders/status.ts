import type { Role } from '../users/roles.js'

export const ORDER_STATUSES = ['accepted', 'confirmed', 'paid', 'shipped', 'delivered', 'cancelled', 'rejected'] as const
export type OrderStatus = typeof ORDER_STATUSES[number]

/** What PUT /orders/{order_id}/status may ask for; whether it is legal from here, the table says. */
export const MOVABLE_STATUSES = ['paid', 'shipped', 'delivered', 'cancelled'] as const
export type MovableStatus = typeof MOVABLE_STATUSES[number]

/**
 * Who may move an order from one status to another; what is not listed is illegal.
 *
 *   accepted -> confirmed -> paid -> shipped -> delivered
 *       \___________\__________\-> cancelled
 *   accepted -> rejected (a placement that can never be applied)
 *
 * No caller moves an order to `confirmed` (persisting does) or to `rejected` (the worker's verdict does).
 */
const MOVES: Record<OrderStatus, Partial<Record<OrderStatus, readonly Role[]>>> = {
  accepted: { cancelled: ['customer', 'operator'] },
  confirmed: { paid: ['operator'], cancelled: ['customer', 'operator'] },
  paid: { shipped: ['operator'], cancelled: ['customer', 'operator'] },
  shipped: { delivered: ['operator'] },
  delivered: {},
  cancelled: {},
  rejected: {}
}

/** Its owner alone may amend an order in these. */
const AMENDABLE: readonly OrderStatus[] = ['accepted', 'confirmed']

export function mayMove (from: OrderStatus, to: OrderStatus, role: Role): boolean {
  return MOVES[from][to]?.includes(role) ?? false
}

export function isAmendable (status: OrderStatus): boolean {
  return AMENDABLE.includes(status)
}

/** The statuses that this caller may move the order to from here, in the order of the lifecycle. */
export function nextStatuses (from: OrderStatus, role: Role): OrderStatus[] {
  return ORDER_STATUSES.filter((to) => mayMove(from, to, role))
}
