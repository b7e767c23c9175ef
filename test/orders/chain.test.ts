import t from 'tap'
import { extendChain, type Outcome } from '../../src/orders/chain.js'
import { type Base, type OrderEvent, placeOrder } from '../../src/orders/event.js'
import { confirmed } from '../../src/orders/order.js'

const now = '2026-11-23T12:00:00.000Z'
const placed = placeOrder({ order_id: 'o', event_id: 'e1', user_id: 1, input: { item_description: 'x', item_quantity: 1, item_price: 1 }, now, request_id: 'r' })
const change = (event_id: string, base: string, version: number): OrderEvent =>
  ({ ...placed, event_id, base, type: 'order.amended', order: { ...placed.order, version } })
const at = (event: OrderEvent): Base => ({ event_id: event.event_id, order: confirmed(event.order) })
const second = change('e2', 'e1', 2)
const third = change('e3', 'e2', 3)
const never = () => undefined
const outcomes = (decisions: ReadonlyArray<{ event: OrderEvent, outcome: Outcome, reason?: string }>) =>
  Object.fromEntries(decisions.map(({ event, outcome, reason }) => [event.event_id, reason ?? outcome]))

t.test('a whole chain is applied in whatever order it comes, duplicates included', async (t) => {
  const { head, last, decisions } = extendChain(null, [third, second, third, placed, second], never)
  t.same(head, at(third))
  t.equal(last, third)
  t.same(outcomes(decisions), { e1: 'applied', e2: 'applied', e3: 'applied' })
})

t.test('an event whose base is not known yet waits', async (t) => {
  const { head, last, decisions } = extendChain(at(placed), [third], never)
  t.same(head, at(placed))
  t.equal(last, null)
  t.same(outcomes(decisions), { e3: 'waiting' })
})

t.test('an event whose base was applied since the head was read waits: nothing says that it was built upon', async (t) => {
  const { head, decisions } = extendChain(null, [second], (id) => id === 'e1' ? 'applied' : undefined)
  t.equal(head, null)
  t.same(outcomes(decisions), { e2: 'waiting' })
})

t.test('of two rivals for one base the first given wins and the other is rejected', async (t) => {
  const rival = change('e2b', 'e1', 2)
  const { head, decisions } = extendChain(at(placed), [second, rival], (id) => id === 'e1' ? 'applied' : undefined)
  t.equal(head?.event_id, 'e2')
  t.same(outcomes(decisions), { e2: 'applied', e2b: 'superseded' })
})

t.test('what was built on a rejected event is rejected too, whenever it comes', async (t) => {
  const rival = change('e2b', 'e1', 2)
  const onRival = change('e3b', 'e2b', 3)
  const { decisions } = extendChain(at(placed), [onRival, second, rival], (id) => id === 'e1' ? 'applied' : undefined)
  t.same(outcomes(decisions), { e2: 'applied', e2b: 'superseded', e3b: 'base_rejected' })
  const later = extendChain(at(second), [onRival], (id) => id === 'e2b' ? 'rejected' : 'applied')
  t.same(later.decisions, [], 'onRival itself counts as recorded here')
  const fresh = extendChain(at(second), [onRival], (id) => id === 'e2b' ? 'rejected' : undefined)
  t.same(outcomes(fresh.decisions), { e3b: 'base_rejected' })
})

t.test('a second placement of the same order is rejected', async (t) => {
  const rival = { ...placed, event_id: 'e1b' }
  const { head, decisions } = extendChain(at(placed), [rival], never)
  t.equal(head?.event_id, 'e1')
  t.same(outcomes(decisions), { e1b: 'already_placed' })
})

t.test('an event that skips a version is rejected', async (t) => {
  const { decisions } = extendChain(at(placed), [change('e9', 'e1', 9)], never)
  t.same(outcomes(decisions), { e9: 'wrong_version' })
})

t.test('an event that breaks a rule of its order is rejected, and what was built on it too', async (t) => {
  const paid: OrderEvent = { ...change('e2', 'e1', 2), type: 'order.status_changed', order: { ...placed.order, version: 2, status: 'paid', item_price: 0 } }
  const { head, decisions } = extendChain(null, [placed, paid, third], never)
  t.same(head, at(placed))
  t.same(outcomes(decisions), { e1: 'applied', e2: 'altered', e3: 'base_rejected' })
})

t.test('what was applied or rejected before is not decided again', async (t) => {
  const { head, decisions } = extendChain(at(second), [placed, second], () => 'applied')
  t.same(decisions, [])
  t.same(head, at(second))
})
