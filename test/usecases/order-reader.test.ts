import t, { type Test } from 'tap'
import { newId } from '../../src/ids.js'
import type { OrderEvent } from '../../src/orders/event.js'
import { acceptedView, persistedView } from '../../src/orders/view.js'
import { clockMoved } from '../support/eventually.js'
import { amended, placed } from './contracts/events.js'
import { ana, bia, line, openOrderService, operator, placing } from './memory/order-service.js'

const shift = (event: OrderEvent, ms: number): OrderEvent => {
  const updated_at = new Date(Date.now() + ms).toISOString()
  return { ...event, occurred_at: updated_at, order: { ...event.order, updated_at } }
}
const isRefused = async (t: Test, asking: Promise<unknown>, code: string) => await t.rejects(asking, { name: 'OrderError', code })
const AWAY = { name: 'StoreError', code: 'unavailable' }

t.test('a persisted view and a young unpersisted one answer alone: the tables are not asked', async (t) => {
  const { placement, reader, orders, book, taken } = openOrderService()
  const { order: { order_id: id } } = await placement.place(placing())
  t.match(await reader.find(id, ana), { event_id: taken()[0]!.event_id, order: { ...line, status: 'accepted', version: 1 } })
  t.equal(orders.asked, 0)
  await book()
  orders.cut()
  t.match(await reader.find(id, ana), { order: { status: 'confirmed', version: 1 } })
})

t.test('an unpersisted view that is too old, or dated too far ahead, is checked, and the row is shown from then on', async (t) => {
  for (const ms of [-2500, 2500]) {
    const { reader, orders, views, shown } = openOrderService()
    const event = placed(1)
    const id = event.order.order_id
    orders.book([event])
    await views.put([{ view: acceptedView(shift(event, ms)) }])
    t.equal((await reader.find(id, ana)).order.status, 'confirmed', `${ms} ms`)
    t.strictSame(await shown(id), persistedView(event))
  }
})

t.test('a young view whose event was booked is checked, and answers all the same while the tables are away', async (t) => {
  const { reader, orders, views, shown } = openOrderService()
  const event = placed(1)
  const id = event.order.order_id
  orders.book([event])
  await views.put([{ view: acceptedView(shift(event, 0)) }])
  views.mark(id)
  t.equal((await reader.find(id, ana)).order.status, 'confirmed')
  t.strictSame(await shown(id), persistedView(event))
  const other = placed(1)
  await views.put([{ view: acceptedView(shift(other, 0)) }])
  views.mark(other.order.order_id)
  orders.cut()
  t.equal((await reader.find(other.order.order_id, ana)).order.status, 'accepted')
})

t.test('what is shown is the higher of row and view', async (t) => {
  const { reader, orders, views } = openOrderService()
  const first = placed(1)
  const id = first.order.order_id
  const second = amended(first)
  orders.book([first])
  await views.put([{ view: acceptedView(second) }]) // from a past year, so it is checked
  t.match(await reader.find(id, ana), { event_id: second.event_id, order: { version: 2 } })
  orders.book([second, amended(second)])
  t.match(await reader.find(id, ana), { order: { version: 3 } })
})

t.test('the view of a change that was rejected gives way to the row, though its rank is higher', async (t) => {
  const { reader, orders, views, shown } = openOrderService()
  const first = placed(1)
  const [winner, loser] = [amended(first, 20), amended(first, 30)]
  const upon = amended(loser)
  orders.book([first, winner, loser, upon])
  await views.put([{ view: acceptedView(upon) }])
  t.match(await reader.find(first.order.order_id, ana), { event_id: winner.event_id, order: { version: 2, item_quantity: 20 } })
  t.strictSame(await shown(first.order.order_id), persistedView(winner))
})

t.test('while views are in doubt every one is checked', async (t) => {
  const { reader, orders, views, booked } = openOrderService()
  const { order: { order_id: id } } = await booked()
  views.cut()
  const event = amended((await orders.find(id, null)).view!, 50)
  orders.book([event])
  views.heal()
  t.match(await reader.find(id, ana), { order: { version: 2, item_quantity: 50 } })
})

t.test('with the tables away a view is the best there is; without one that is told', async (t) => {
  const { reader, orders, views } = openOrderService()
  const event = placed(1)
  await views.put([{ view: acceptedView(event) }]) // too old to be trusted
  orders.cut()
  t.match(await reader.find(event.order.order_id, ana), { order: { version: 1 } })
  await t.rejects(reader.find(newId(), ana), AWAY)
  await t.rejects(reader.list({ limit: 1 }, ana), AWAY)
})

t.test('an order that is not known is not there, or may be hidden while views may be missing', async (t) => {
  const { reader, views } = openOrderService()
  await isRefused(t, reader.find(newId(), ana), 'order_not_found')
  views.empty()
  await isRefused(t, reader.find(newId(), ana), 'order_not_visible_yet')
  views.trust()
  await isRefused(t, reader.find(newId(), ana), 'order_not_found')
  views.cut()
  await isRefused(t, reader.find(newId(), ana), 'order_not_visible_yet')
  await isRefused(t, openOrderService({ cache: false }).reader.find(newId(), ana), 'order_not_visible_yet')
})

t.test('a newer version may be hidden of an order that is older than the doubt', async (t) => {
  const { reader, views, booked, placement } = openOrderService()
  const { order: { order_id: id } } = await booked()
  const hidden = async (orderId: string) => (await reader.latest(orderId, ana)).hidden
  t.equal(await hidden(id), false)
  await clockMoved()
  views.cut()
  t.equal(await hidden(id), true, 'the view could not be asked for')
  views.heal()
  t.equal(await hidden(id), true)
  t.equal(await hidden((await placement.place(placing())).order.order_id), false, 'taken since')
})

t.test('an order is its owner\'s and an operator\'s; to anybody else it is not there', async (t) => {
  const { reader, booked } = openOrderService()
  const { order: { order_id: id } } = await booked()
  t.strictSame((await reader.find(id, ana)).order.next_statuses, ['cancelled'])
  t.strictSame((await reader.find(id, operator)).order.next_statuses, ['paid', 'cancelled'])
  for (const asking of [reader.find(id, bia), reader.latest(id, bia), reader.timeline(id, { limit: 9 }, bia)]) await isRefused(t, asking, 'order_not_found')
})

t.test('while views may be missing another user\'s order is answered as none at all is', async (t) => {
  const { reader, booked, views } = openOrderService()
  const { order: { order_id: id } } = await booked()
  views.cut()
  for (const asked of [id, newId()]) await isRefused(t, reader.find(asked, bia), 'order_not_visible_yet')
  t.match((await reader.find(id, ana)).order, { order_id: id })
})

t.test('a rejected placement shows as such, with its reason', async (t) => {
  const { reader, orders, placement, taken } = openOrderService()
  const { order: { order_id: id } } = await placement.place(placing())
  orders.refuse(taken()[0]!, 'unknown_user')
  t.match((await reader.latest(id, ana)).view.order, { status: 'rejected', reason: 'unknown_user' })
  const { order } = await reader.find(id, ana)
  t.match(order, { status: 'rejected', reason: 'unknown_user' })
  t.strictSame(order.next_statuses, [])
})
