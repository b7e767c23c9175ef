import t from 'tap'
import { extendChain } from '../../src/orders/chain.js'
import { amendOrder, moveOrder, type OrderEvent } from '../../src/orders/event.js'
import { causeOf, expireOrder, STALE_ORDERS } from '../../src/orders/expiry.js'
import { amendment, placement } from '../support/events.js'

const placed = placement(1)
const base = { event_id: placed.event_id, order: { ...placed.order, status: 'confirmed' as const } }
const origin = { event_id: '0199b2f4-6c1d-7e3a-9b58-2f6f0c1d4e7a', now: new Date().toISOString(), request_id: 'r', actor: STALE_ORDERS }
const decide = (events: OrderEvent[]) => extendChain(base, events, (id) => id === placed.event_id ? 'applied' : undefined).decisions.map((decision) => decision.outcome === 'rejected' ? decision.reason : decision.outcome)

t.test('of one state of an order there is one expiry, whichever sweep makes it', async (t) => {
  const [one, other] = ['a', 'b'].map((run) => expireOrder(base, { now: new Date().toISOString(), run }))
  t.equal(one!.event_id, other!.event_id)
  t.not(one!.event_id, expireOrder({ ...base, event_id: amendment(placed).event_id }, { now: '', run: 'a' }).event_id)
  t.match(one, { type: 'order.cancelled', base: placed.event_id, order: { status: 'cancelled', version: 2 }, request_id: 'a', actor: 'rule:stale-orders' })
  t.equal(causeOf(one!), 'expired')
  t.equal(causeOf(placed), null)
})

t.test('whichever of expiry and payment comes first is applied, and the other is superseded', async (t) => {
  const [expiry, payment] = [expireOrder(base, { now: placed.occurred_at, run: 'r' }), moveOrder(base, 'paid', { ...origin, actor: 'operator:1' })]
  t.strictSame(decide([expiry, payment]), ['applied', 'superseded'])
  t.strictSame(decide([payment, expiry]), ['applied', 'superseded'])
})

t.test('the rule cancels what is unpaid, and does nothing else', async (t) => {
  t.strictSame(decide([moveOrder(base, 'paid', origin)]), ['illegal_move'])
  t.strictSame(decide([amendOrder(base, { item_description: 'x', item_quantity: 1, item_price: 1 }, origin)]), ['illegal_move'])
  const paid = { ...base, order: { ...base.order, status: 'paid' as const } }
  t.strictSame(extendChain(paid, [expireOrder(paid, { now: '', run: 'r' })], () => undefined).decisions.map((decision) => 'reason' in decision && decision.reason), ['illegal_move'])
})
