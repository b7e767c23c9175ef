import t from 'tap'
import { amendOrder, moveOrder, type OrderEvent, placeOrder } from '../../src/orders/event.js'
import { confirmed, type Order } from '../../src/orders/order.js'
import { brokenRule } from '../../src/orders/rules.js'
import { MOVABLE_STATUSES, ORDER_STATUSES, type OrderStatus } from '../../src/orders/status.js'

const now = '2026-11-26T12:00:00.000Z'
const line = { item_description: 'x', item_quantity: 2, item_price: 5 }
const { order: accepted } = placeOrder({ order_id: 'o', event_id: 'e1', user_id: 1, input: line, now, request_id: 'r', actor: 'user:1' })
const inStatus = (status: OrderStatus): Order => ({ ...accepted, status })
const origin = (actor?: string) => ({ event_id: 'e2', now, request_id: 'r', actor })
const move = (from: OrderStatus, to: OrderStatus, actor?: string) => moveOrder({ order: inStatus(from), event_id: 'e1' }, to, origin(actor))
const amend = (from: OrderStatus, actor?: string) => amendOrder({ order: inStatus(from), event_id: 'e1' }, { ...line, item_price: 4 }, origin(actor))
const altered = (event: OrderEvent, change: Partial<Order>): OrderEvent => ({ ...event, order: { ...event.order, ...change } })

t.test('what the use cases let through breaks no rule, whether its base was seen persisted or not', async (t) => {
  for (const seen of ['accepted', 'confirmed'] as const) {
    for (const event of [amend(seen, 'user:1'), move(seen, 'cancelled', 'user:1'), move(seen, 'cancelled', 'operator:7')]) t.equal(brokenRule(event, confirmed(accepted)), undefined)
  }
  t.equal(brokenRule(move('confirmed', 'paid', 'operator:7'), inStatus('confirmed')), undefined)
})

t.test('a move must be legal from the status that the order has, and for its actor', async (t) => {
  const legal = ['confirmed paid', 'confirmed cancelled', 'paid shipped', 'paid cancelled', 'shipped delivered', 'accepted cancelled', 'accepted paid'] // a row says confirmed for accepted
  for (const from of ORDER_STATUSES) {
    for (const to of MOVABLE_STATUSES) t.equal(brokenRule(move(from, to, 'operator:7'), inStatus(from)), legal.includes(`${from} ${to}`) ? undefined : 'illegal_move', `${from} ${to}`)
  }
  t.equal(brokenRule(move('confirmed', 'paid', 'user:1'), inStatus('confirmed')), 'illegal_move', 'a customer pays nothing by an event')
  t.equal(brokenRule(move('confirmed', 'delivered'), inStatus('confirmed')), 'illegal_move', 'without an actor too')
})

t.test('another customer changes nothing, and an operator amends nothing', async (t) => {
  t.equal(brokenRule(amend('confirmed', 'user:2'), inStatus('confirmed')), 'not_owner')
  t.equal(brokenRule(amend('confirmed', 'operator:7'), inStatus('confirmed')), 'not_owner')
  t.equal(brokenRule(move('confirmed', 'cancelled', 'user:2'), inStatus('confirmed')), 'not_owner')
})

t.test('only what is not paid can be amended', async (t) => {
  for (const status of ORDER_STATUSES) t.equal(brokenRule(amend(status, 'user:1'), inStatus(status)), ['accepted', 'confirmed'].includes(status) ? undefined : 'not_amendable', status)
})

t.test('no change gives an order another owner or another beginning', async (t) => {
  for (const event of [amend('confirmed', 'user:1'), move('confirmed', 'paid', 'operator:7')]) {
    for (const change of [{ user_id: 2 }, { created_at: '2026-11-26T12:00:00.001Z' }]) t.equal(brokenRule(altered(event, change), inStatus('confirmed')), 'altered')
  }
})

t.test('an amendment moves nothing, a move amends nothing, and only a cancellation cancels', async (t) => {
  t.equal(brokenRule(altered(amend('confirmed', 'user:1'), { status: 'paid' }), inStatus('confirmed')), 'altered')
  for (const change of [{ item_description: 'y' }, { item_quantity: 3 }, { item_price: 0 }]) t.equal(brokenRule(altered(move('confirmed', 'paid', 'operator:7'), change), inStatus('confirmed')), 'altered')
  t.equal(brokenRule({ ...move('confirmed', 'cancelled', 'user:1'), type: 'order.status_changed' }, inStatus('confirmed')), 'altered')
  t.equal(brokenRule({ ...move('confirmed', 'paid', 'operator:7'), type: 'order.cancelled' }, inStatus('confirmed')), 'altered')
})

t.test('an actor that is no person is held to what is legal for some caller', async (t) => {
  for (const actor of [undefined, 'key:a1b2c3d4', 'rule:stale']) {
    t.equal(brokenRule(move('confirmed', 'cancelled', actor), inStatus('confirmed')), undefined)
    t.equal(brokenRule(move('shipped', 'cancelled', actor), inStatus('shipped')), 'illegal_move')
  }
})
