import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { OrderError } from '../../src/orders/errors.js'
import { keyedEventId, keyedOrderId } from '../../src/orders/identity.js'
import { acceptedView } from '../../src/orders/view.js'
import { holds } from '../support/properties.js'
import { ana, bia, changing, line, openOrderService, placing } from './memory/order-service.js'

const other = { ...line, item_quantity: 4 }
const keyed = (key: string, given: Parameters<typeof placing>[0] = {}) => placing({ idempotency_key: key, ...given })
const codes = (results: unknown[]) => results.map((result) => result instanceof OrderError ? result.code : 'placed')

t.test('an order is taken, shown and answered as accepted', async (t) => {
  const { placement, taken, shown } = openOrderService()
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  for (const key of [undefined, 'k']) {
    const { order, event_id, replayed } = await placement.place(placing({ request_id: 'r', traceparent, idempotency_key: key }))
    t.match(order, { ...line, user_id: ana.user_id, total_value: 5970, status: 'accepted', version: 1, next_statuses: ['cancelled'] })
    t.equal(replayed, false)
    const event = taken().at(-1)!
    t.match(event, { event_id, type: 'order.placed', base: null, request_id: 'r', traceparent, order: { order_id: order.order_id } })
    t.strictSame(await shown(order.order_id), acceptedView(event))
  }
  t.equal(taken().length, 2)
})

t.test('what was not taken, or perhaps was, is told and shown to no reader', async (t) => {
  for (const [fate, code] of [['refused', 'not_accepted'], ['lost', 'outcome_unknown']] as const) {
    for (const key of [undefined, 'k']) {
      const { placement, intake, shown } = openOrderService()
      const ids: string[] = []
      intake.fate = ({ order: { order_id: id } }) => { ids.push(id); return fate }
      await t.rejects(placement.place(placing({ idempotency_key: key })), { name: 'OrderError', code })
      t.equal(await shown(ids[0]!), null)
    }
  }
})

t.test('the same key and body get the same answer again, though the order went on, and nothing more is taken', async (t) => {
  const { placement, changes, taken, shown } = openOrderService()
  const { replayed: _, ...first } = await placement.place(keyed('k'))
  await changes.cancel(changing(first.order.order_id))
  t.strictSame(await placement.place(keyed('k', { request_id: 'later' })), { ...first, replayed: true })
  t.equal(taken().length, 2)
  t.match(await shown(first.order.order_id), { order: { status: 'cancelled' } }, 'no reader goes back')
})

t.test('another body under a key is refused, and the first goes on being answered', async (t) => {
  const { placement, taken } = openOrderService()
  await placement.place(keyed('k'))
  for (const change of [{ item_quantity: 4 }, { item_price: 1 }, { item_description: 'x' }]) {
    await t.rejects(placement.place(keyed('k', { input: { ...line, ...change } })), { name: 'OrderError', code: 'key_reused' })
  }
  t.equal((await placement.place(keyed('k'))).replayed, true)
  t.equal(taken().length, 1)
})

t.test('a key is its caller\'s own', async (t) => {
  const { placement } = openOrderService()
  const mine = await placement.place(keyed('k'))
  const hers = await placement.place(keyed('k', { caller: bia, input: other }))
  t.not(hers.order.order_id, mine.order.order_id)
  t.equal(hers.replayed, false)
})

t.test('a use that ended without an answer is taken again as the very same event, its moment included', async (t) => {
  const { placement, keys, taken } = openOrderService()
  const order_id = keyedOrderId('POST /orders', ana.user_id, 'k')
  const now = '2026-01-02T03:04:05.678Z'
  await keys.begin([{ order_id, event_id: keyedEventId(order_id, line), now }])
  for (const times of [1, 1]) {
    t.match(await placement.place(keyed('k')), { replayed: true, order: { order_id, created_at: now } })
    t.equal(taken().length, times, 'once accepted it is not taken again')
  }
})

t.test('a definite refusal frees the key; an unknown outcome does not', async (t) => {
  for (const [fate, code, then] of [['refused', 'not_accepted', 'placed'], ['lost', 'outcome_unknown', 'key_reused']] as const) {
    const { placement, intake } = openOrderService()
    intake.fate = () => fate
    t.strictSame(codes(await placement.placeAll([keyed('k')])), [code])
    intake.fate = () => 'taken'
    t.strictSame(codes(await placement.placeAll([keyed('k', { input: other })])), [then])
    if (fate === 'lost') t.match(await placement.place(keyed('k')), { replayed: true })
  }
})

t.test('of several each has its own result, in their order: a fault of one hides no other', async (t) => {
  const { placement, intake, taken, shown } = openOrderService()
  await placement.place(keyed('used'))
  intake.fate = ({ order }) => order.item_price === 1 ? 'refused' : order.item_price === 2 ? 'lost' : 'taken'
  const at = (item_price: number) => ({ input: { ...line, item_price } })
  const results = await placement.placeAll([placing(), keyed('used', { input: other }), placing(at(1)), keyed('lost', at(2)), keyed('new'), placing()])
  t.strictSame(codes(results), ['placed', 'key_reused', 'not_accepted', 'outcome_unknown', 'placed', 'placed'])
  for (const result of results) if (!(result instanceof OrderError)) t.strictSame((await shown(result.order.order_id))?.event_id, result.event_id)
  t.equal(taken().length, 5)
  t.strictSame(await placement.placeAll([]), [])
})

t.test('a key twice in one batch is one order, with a cache, without one and while it is away', async (t) => {
  for (const where of ['cache', 'none', 'away']) {
    const { placement, keys, taken } = openOrderService({ cache: where !== 'none' })
    if (where === 'away') keys.cut()
    const results = await placement.placeAll([keyed('k'), keyed('k'), keyed('k', { input: other }), placing()])
    t.strictSame(codes(results), ['placed', 'placed', 'key_reused', 'placed'], where)
    const [first, second] = results as [object, object]
    t.strictSame(second, { ...first, replayed: true }, where)
    t.equal(taken().length, 2, where)
  }
})

t.test('without a cache a repeated key names the same order and event: the chain makes one of them', async (t) => {
  const { placement, book, taken, orders } = openOrderService({ cache: false })
  const [first, again] = [await placement.place(keyed('k')), await placement.place(keyed('k'))]
  t.strictSame([again.order.order_id, again.event_id, again.replayed], [first.order.order_id, first.event_id, false])
  await placement.place(keyed('k', { input: other }))
  await book()
  t.strictSame(taken().map(({ event_id: id }) => orders.outcomeOf(id)), ['applied', 'applied', 'rejected'])
  t.match(await orders.find(first.order.order_id, null), { view: { order: line } })
})

t.test('a defect is no refusal: it is thrown as it is', async (t) => {
  const { placement, intake } = openOrderService()
  intake.fate = () => { throw new TypeError('a defect') }
  await t.rejects(placement.placeAll([keyed('k'), placing()]), { name: 'TypeError' })
  await t.rejects(placement.place(placing()), { name: 'TypeError' })
})

t.test('in any batches of any requests a key names one event at most, and every answer is of one that was taken', async (t) => {
  const request = fc.record({ key: fc.constantFrom(undefined, 'a', 'b'), quantity: fc.integer({ min: 1, max: 3 }) })
  await holds(t, 200, fc.array(fc.array(fc.record({ request, refused: fc.boolean() }), { maxLength: 5 }), { maxLength: 4 }), async (batches) => {
    const { placement, intake, taken } = openOrderService()
    for (const batch of batches) {
      const refused = new Set(batch.filter(({ refused }) => refused).map(({ request }) => request.quantity))
      intake.fate = ({ order }) => refused.has(order.item_quantity) ? 'refused' : 'taken'
      const results = await placement.placeAll(batch.map(({ request: { key, quantity } }) => placing({ idempotency_key: key, input: { ...line, item_quantity: quantity } })))
      for (const [index, result] of results.entries()) {
        if (result instanceof OrderError) continue
        assert.equal(result.order.item_quantity, batch[index]!.request.quantity)
        assert.ok(taken().some(({ event_id: id }) => id === result.event_id))
      }
    }
    for (const key of ['a', 'b']) {
      const id = keyedOrderId('POST /orders', ana.user_id, key)
      assert.ok(taken().filter(({ order }) => order.order_id === id).length <= 1, key)
    }
  })
})
