import { personOf } from './actor.js'
import { STALE_ORDERS } from './expiry.js'
import type { OrderEvent } from './event.js'
import { confirmed, isSameInput, type Order } from './order.js'
import { isAmendable, mayMove } from './status.js'

/** Stable codes, shown in the timeline. */
export type BrokenRule =
  | 'not_owner' // its actor may not change this order
  | 'not_amendable' // the order is paid or further
  | 'illegal_move' // the lifecycle knows no such move from the order's status, or not for this actor
  | 'altered' // it changes what no event of its type changes

/**
 * The rules that the use cases keep when they take a change, held against the order as it is: an event is not believed for
 * having arrived. Whoever took it by these rules built it on the same state, so nothing honest breaks one.
 * @param before the order that the event's base left behind
 */
export function brokenRule (event: OrderEvent, before: Order): BrokenRule | undefined {
  const after = confirmed(event.order)
  const present = confirmed(before)
  if (after.user_id !== present.user_id || Date.parse(after.created_at) !== Date.parse(present.created_at)) return 'altered'
  if (event.actor === STALE_ORDERS && !(after.status === 'cancelled' && isAmendable(present.status))) return 'illegal_move'
  return event.type === 'order.amended' ? brokenAmendment(event, present, after) : brokenMove(event, present, after)
}

function brokenAmendment ({ actor }: OrderEvent, before: Order, after: Order): BrokenRule | undefined {
  const person = personOf(actor)
  if (after.status !== before.status) return 'altered'
  if (person && person.user_id !== before.user_id) return 'not_owner'
  return isAmendable(before.status) ? undefined : 'not_amendable'
}

/** Where no person is named, the move need only be legal for some caller. */
function brokenMove ({ type, actor }: OrderEvent, before: Order, after: Order): BrokenRule | undefined {
  const person = personOf(actor)
  if (!isSameInput(before, after) || (type === 'order.cancelled') !== (after.status === 'cancelled')) return 'altered'
  if (person?.role === 'customer' && person.user_id !== before.user_id) return 'not_owner'
  return mayMove(before.status, after.status, person?.role ?? 'operator') ? undefined : 'illegal_move'
}
