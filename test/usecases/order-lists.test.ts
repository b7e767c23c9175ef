import t, { type Test } from 'tap'
import { acceptedView, persistedView } from '../../src/orders/view.js'
import type { OrderReader } from '../../src/usecases/order-reader.js'
import { actionOnUser, actorOf, type Requester } from '../../src/users/actions.js'
import { amended, placed } from './contracts/events.js'
import { ana, openOrderService, operator, placing } from './memory/order-service.js'

const isRefused = async (t: Test, asking: Promise<unknown>, code: string) => await t.rejects(asking, { name: 'OrderError', code })

/** Every page in turn. */
async function walk (t: Test, reader: OrderReader, caller: Requester, given: object, limit = 2): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | null | undefined
  do {
    const page = await reader.list({ limit, ...given, ...(cursor ? { cursor } : {}) }, caller)
    t.ok(page.items.length <= limit)
    ids.push(...page.items.map(({ order_id: id }) => id))
    cursor = page.next_cursor
  } while (cursor !== null)
  return ids
}

t.test('a customer lists their own orders, an operator everybody\'s; page by page each once', async (t) => {
  const { reader, orders } = openOrderService()
  const events = [placed(1), placed(2), placed(1), placed(1), placed(2), placed(1)]
  orders.book(events)
  const ids = (user?: number) => events.filter(({ order }) => user === undefined || order.user_id === user).map(({ order }) => order.order_id).reverse()
  t.strictSame(await walk(t, reader, ana, {}), ids(1))
  t.strictSame(await walk(t, reader, ana, { user_id: 1 }), ids(1))
  t.strictSame(await walk(t, reader, operator, {}, 4), ids())
  t.strictSame(await walk(t, reader, operator, { user_id: 2 }), ids(2))
  t.strictSame((await reader.list({ limit: 1 }, operator)).items[0]!.next_statuses, ['paid', 'cancelled'])
  await isRefused(t, reader.list({ limit: 2, user_id: 2 }, ana), 'forbidden')
  for (const cursor of ['', 'x', 'bm8']) await isRefused(t, reader.list({ limit: 2, cursor }, ana), 'bad_cursor')
})

t.test('a timeline tells what was only taken too, page by page; a persisted view adds nothing', async (t) => {
  const { reader, orders, views, book, placement, taken } = openOrderService()
  const { order: { order_id: id } } = await placement.place(placing())
  const second = amended(taken()[0]!)
  await views.put([{ view: acceptedView(second, acceptedView(taken()[0]!)) }])
  const { items, next_cursor: cursor } = await reader.timeline(id, { limit: 1 }, ana)
  t.match(items, [{ version: 1, outcome: 'accepted' }])
  t.match(await reader.timeline(id, { limit: 1, cursor: cursor! }, ana), { items: [{ version: 2, outcome: 'accepted' }], next_cursor: null })
  await book()
  orders.book([second])
  await views.put([{ view: persistedView(second) }])
  t.strictSame((await reader.timeline(id, { limit: 9 }, operator)).items.map(({ outcome }) => outcome), ['applied', 'applied'])
  for (const bad of ['', 'x', cursor!.slice(1)]) await isRefused(t, reader.timeline(id, { limit: 1, cursor: bad }, ana), 'bad_cursor')
})

t.test('whose orders an operator asks for by name is recorded before they are shown, or they are not shown', async (t) => {
  const { reader, actions, booked } = openOrderService()
  await booked(ana)
  for (const [given, caller] of [[{}, operator], [{ user_id: operator.user_id }, operator], [{}, ana], [{ user_id: ana.user_id }, ana]] as const) await reader.list({ limit: 1, ...given }, caller)
  t.strictSame(actions.recorded, [])
  await reader.list({ limit: 1, user_id: ana.user_id }, operator)
  t.strictSame(actions.recorded, [actionOnUser(actorOf(operator), 'orders.listed_of_user', ana.user_id)])
  actions.cut()
  await t.rejects(reader.list({ limit: 1, user_id: ana.user_id }, operator), { name: 'StoreError', code: 'unavailable' })
  t.equal((await reader.list({ limit: 1 }, ana)).items.length, 1)
})
