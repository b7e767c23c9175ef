import { newId } from '../../../src/ids.js'
import { amendOrder, type Base, moveOrder, type OrderEvent, type Origin, placeOrder } from '../../../src/orders/event.js'
import { confirmed } from '../../../src/orders/order.js'
import type { MovableStatus } from '../../../src/orders/status.js'

/** Milliseconds since 1970: each event is a second later than the one before. */
let now = Date.UTC(2026, 0, 1)
const origin = (): Origin => ({ event_id: newId(), now: new Date(now += 1000).toISOString(), request_id: 'test' })

export function placed (user_id: number): OrderEvent {
  return placeOrder({ ...origin(), order_id: newId(), user_id, input: { item_description: 'Café ☕ "quoted" \\ \u2028', item_quantity: 2, item_price: 500 } })
}

/** Built on this event as it is once applied. */
export function amended ({ order, event_id }: Base, item_quantity = order.item_quantity + 1): OrderEvent {
  const { item_description, item_price } = order
  return amendOrder({ order: confirmed(order), event_id }, { item_description, item_quantity, item_price }, origin())
}

export function moved ({ order, event_id }: Base, to: MovableStatus): OrderEvent {
  return moveOrder({ order: confirmed(order), event_id }, to, origin())
}
