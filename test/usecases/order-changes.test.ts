import t, { type Test } from 'tap'
import type { Precondition } from '../../src/orders/precondition.js'
import { acceptedView, persistedView } from '../../src/orders/view.js'
import { clockMoved } from '../support/eventually.js'
import { amended, placed } from './contracts/events.js'
import { ana, changing, openOrderService, operator, placing } from './memory/order-service.js'

type Service = ReturnType<typeof openOrderService>
const isRefused = async (t: Test, asking: Promise<unknown>, code: string, more: object = {}) => await t.rejects(asking, { name: 'OrderError', code, ...more }, code)
const amend = async ({ changes }: Service, id: string, quantity: number, precondition: Precondition = null) => await changes.amend(changing(id, ana, precondition), { item_quantity: quantity })
/** An order that is booked, as its id and its service. */
async function openBooked (options: { cache?: boolean } = {}) {
  const service = openOrderService(options)
  return { ...service, service, id: (await service.booked()).order.order_id }
}

t.test('an amendment changes what it names, and the total; it is taken, shown and answered', async (t) => {
  const { changes, id, taken, shown } = await openBooked()
  const { order, event_id } = await changes.amend({ ...changing(id), request_id: 'r', traceparent: 'trace' }, { item_description: 'Chá', item_price: 5 })
  t.match(order, { item_description: 'Chá', item_quantity: 3, item_price: 5, total_value: 15, status: 'confirmed', version: 2, next_statuses: ['cancelled'] })
  const [first, event] = taken()
  t.match(event, { event_id, type: 'order.amended', base: first!.event_id, request_id: 'r', traceparent: 'trace', order: { order_id: id, version: 2 } })
  t.strictSame(await shown(id), acceptedView(event!))
})

t.test('what is pending is changed upon its view, which keeps all that led to it', async (t) => {
  const service = openOrderService()
  const { order: { order_id: id } } = await service.placement.place(placing())
  await amend(service, id, 7)
  t.match(await service.changes.cancel(changing(id)), { order: { version: 3, status: 'cancelled', item_quantity: 7 } })
  const events = service.taken()
  t.strictSame(events.map(({ base }) => base), [null, events[0]!.event_id, events[1]!.event_id])
  t.match(await service.shown(id), { persisted: false, taken: events })
})

t.test('a change is built on the higher of row and view', async (t) => {
  for (const higher of ['row', 'view']) {
    const service = openOrderService()
    const first = placed(1)
    const second = amended(first)
    service.orders.book(higher === 'row' ? [first, second] : [first])
    await service.views.put([{ view: higher === 'row' ? persistedView(first) : acceptedView(second) }])
    t.equal((await amend(service, first.order.order_id, 50)).order.version, 3, higher)
    t.equal(service.taken()[0]!.base, second.event_id, higher)
  }
})

t.test('with the tables away it is built on the view; without one nothing is taken', async (t) => {
  const { service, id, orders, views, taken } = await openBooked()
  orders.cut()
  t.match(await amend(service, id, 50), { order: { version: 2 } })
  views.empty()
  await t.rejects(amend(service, id, 51), { name: 'StoreError', code: 'unavailable' })
  t.equal(taken().length, 2)
})

t.test('a change to what the order already is publishes nothing and answers with it, whatever version was named', async (t) => {
  const { service, id, changes, taken } = await openBooked()
  const before = await amend(service, id, 4)
  for (const precondition of [null, 'any', [1], [9]] as const) t.strictSame(await amend(service, id, 4, precondition), before)
  t.strictSame(await changes.amend(changing(id), {}), before)
  await changes.move(changing(id, operator), 'cancelled')
  for (const precondition of [null, [1]] as const) t.match(await changes.cancel(changing(id, ana, precondition)), { order: { version: 3 } })
  t.equal(taken().length, 3)
})

t.test('a change goes through only upon a version that was named', async (t) => {
  const { service, id, changes, taken } = await openBooked()
  const present = { version: 1, status: 'confirmed' }
  for (const named of [[], [2], [9, 3]]) {
    await isRefused(t, amend(service, id, 4, named), 'stale', { present })
    await isRefused(t, changes.cancel(changing(id, ana, named)), 'stale', { present })
    await isRefused(t, changes.move(changing(id, operator, named), 'shipped'), 'stale', { present }) // told before that it is illegal
  }
  t.equal(taken().length, 1)
  for (const [index, named] of [[1], 'any', [9, 3], null].entries()) t.equal((await amend(service, id, 10 + index, named as Precondition)).order.version, index + 2)
})

t.test('a named version above what is known may be hidden while views may be missing; one below is stale all the same', async (t) => {
  const { service, id, views } = await openBooked()
  await amend(service, id, 4)
  await service.book()
  await clockMoved()
  views.cut()
  await isRefused(t, amend(service, id, 5, [3]), 'version_not_visible_yet', { present: undefined })
  await isRefused(t, amend(service, id, 5, [1]), 'stale')
  views.heal()
  await isRefused(t, amend(service, id, 5, [3]), 'version_not_visible_yet')
  views.trust()
  await isRefused(t, amend(service, id, 5, [3]), 'stale')
})

t.test('who comes while another changes the same version is told: stale with a named version, else that the race is lost', async (t) => {
  const { service, id, locks, taken, shown } = await openBooked()
  await locks.take(id, 2)
  const present = { version: 1, status: 'confirmed' }
  await isRefused(t, amend(service, id, 4, [1]), 'stale', { present })
  await isRefused(t, amend(service, id, 4), 'lost_race', { present })
  t.equal(taken().length, 1)
  t.match(await shown(id), { order: { version: 1 } })
})

t.test('a change that was not taken is shown to no reader; refused for certain it leaves its version free', async (t) => {
  for (const [fate, code, then] of [['refused', 'not_accepted', true], ['lost', 'outcome_unknown', false]] as const) {
    const { service, id, intake, locks, shown } = await openBooked()
    intake.fate = () => fate
    await isRefused(t, amend(service, id, 4), code)
    t.match(await shown(id), { order: { version: 1 } }, code)
    t.equal(await locks.take(id, 2), then, code)
  }
})

t.test('without locks, or where they cannot be asked, every change is taken and the chain decides', async (t) => {
  for (const cache of [true, false]) {
    const { service, id, locks, book, orders, taken } = await openBooked({ cache })
    locks.cut()
    await Promise.all([4, 5, 6].map(async (quantity) => await amend(service, id, quantity, [1])))
    await book()
    t.strictSame(taken().slice(1).map(({ event_id: event }) => orders.outcomeOf(event)), ['applied', 'rejected', 'rejected'])
  }
})
