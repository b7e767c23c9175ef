import type { Test } from 'tap'
import { newId } from '../../../src/ids.js'
import type { OrderEvent } from '../../../src/orders/event.js'
import { confirmed } from '../../../src/orders/order.js'
import { acceptedView, persistedView } from '../../../src/orders/view.js'
import type { OrdersPort } from '../../../src/usecases/ports.js'
import { amended, moved, placed } from './events.js'

export interface OpenedOrders {
  orders: OrdersPort
  /** Two users without orders. */
  users: [number, number]
  /** As a worker does. */
  book (events: readonly OrderEvent[]): Promise<void> | void
  /** Into the fallback queue. */
  enqueue (events: readonly OrderEvent[]): Promise<void> | void
  /** Records it as rejected, for a reason outside the chain. */
  refuse (event: OrderEvent): Promise<void> | void
  /** It cannot be asked from now on. */
  cut (): void
}
type Open = (t: Test) => Promise<OpenedOrders>

const page = (limit = 9) => ({ limit, after: undefined })
const idsOf = (orders: ReadonlyArray<{ order_id: string }>) => orders.map(({ order_id: id }) => id)

export function ordersContract (t: Test, open: Open): void {
  findsTheHighest(t, open)
  lists(t, open)
  tellsWhatHappened(t, open)

  t.test('where it cannot be asked it throws that', async (t) => {
    const { orders, cut } = await open(t)
    cut()
    const away = { name: 'StoreError', code: 'unavailable' }
    await t.rejects(orders.find(newId(), null), away)
    await t.rejects(orders.list({ limit: 9 }), away)
    await t.rejects(orders.timeline(newId(), [], page()), away)
  })
}

function findsTheHighest (t: Test, open: Open): void {
  t.test('of an order that is not there nothing is known', async (t) => {
    const { orders } = await open(t)
    t.strictSame(await orders.find(newId(), newId()), { view: null, rejected: false })
  })

  t.test('what is found is the higher of row and fallback queue', async (t) => {
    const { orders, users: [user], book, enqueue } = await open(t)
    const first = placed(user)
    const [second, third] = [amended(first), amended(amended(first))]
    const found = async () => (await orders.find(first.order.order_id, null)).view
    await enqueue([first])
    t.strictSame(await found(), acceptedView(first))
    await book([first])
    t.strictSame(await found(), persistedView(first))
    await enqueue([third, second])
    t.strictSame(await found(), acceptedView(third), 'the highest that waits')
    await book([second, third])
    await enqueue([second]) // taken twice
    t.match(await found(), { persisted: true, order: { version: 2 } })
  })

  t.test('it tells whether the event of a doubtful view was rejected', async (t) => {
    const { orders, users: [user], book } = await open(t)
    const first = placed(user)
    const [winner, loser] = [amended(first, 20), amended(first, 30)]
    await book([first, winner, loser])
    for (const [event, rejected] of [[winner, false], [loser, true], [placed(user), false]] as const) {
      t.strictSame(await orders.find(first.order.order_id, event.event_id), { view: persistedView(winner), rejected })
    }
  })

  t.test('a rejected placement shows as such, until there is more to show', async (t) => {
    const { orders, users: [user], refuse, enqueue } = await open(t)
    const event = placed(user)
    await refuse(event)
    const { view, rejected } = await orders.find(event.order.order_id, event.event_id)
    t.strictSame(view, { order: { ...event.order, status: 'rejected', reason: 'not_storable' }, event_id: event.event_id, persisted: true })
    t.equal(rejected, true)
    await enqueue([event]) // tried again
    t.strictSame((await orders.find(event.order.order_id, null)).view, acceptedView(event))
  })
}

function lists (t: Test, open: Open): void {
  t.test('orders that are persisted are listed as they are, newest first', async (t) => {
    const { orders, users: [user, other], book, enqueue } = await open(t)
    const [first, second, foreign, pending] = [placed(user), placed(user), placed(other), placed(user)]
    await book([first, second, foreign])
    await enqueue([pending])
    t.strictSame(await orders.list({ limit: 9, user_id: user }), [second, first].map(({ order }) => confirmed(order)))
    const all = idsOf(await orders.list({ limit: 9 }))
    t.strictSame(all.slice(0, 3), idsOf([foreign, second, first].map(({ order }) => order)), 'everybody\'s')
  })

  t.test('a filter narrows by status, by moment and by place', async (t) => {
    const { orders, users: [user], book } = await open(t)
    const events = [placed(user), placed(user), placed(user)] as const
    const [oldest, middle, newest] = events.map(({ order }) => order) as [OrderEvent['order'], OrderEvent['order'], OrderEvent['order']]
    await book([...events, moved(events[1], 'paid')])
    const listed = async (filter: object) => idsOf(await orders.list({ limit: 9, user_id: user, ...filter }))
    t.strictSame(await listed({ status: 'paid' }), [middle.order_id])
    t.strictSame(await listed({ created_from: middle.created_at }), idsOf([newest, middle]))
    t.strictSame(await listed({ created_to: middle.created_at }), [oldest.order_id])
    t.strictSame(await listed({ after: newest }), idsOf([middle, oldest]))
    t.strictSame(await listed({ limit: 2 }), idsOf([newest, middle]))
  })
}

function tellsWhatHappened (t: Test, open: Open): void {
  t.test('a timeline holds what was recorded, what waits in the queue and what was only taken, each once, by version', async (t) => {
    const { orders, users: [user], book, enqueue, refuse } = await open(t)
    const first = placed(user)
    const second = amended(first)
    const third = amended(second)
    const fourth = moved(third, 'cancelled')
    const rejected = amended(first, 99)
    await book([first])
    await refuse(rejected)
    await enqueue([second, third])
    const told = await orders.timeline(first.order.order_id, [first, third, fourth], page())
    const outcomes = new Map([[first, 'applied'], [rejected, 'rejected'], [second, 'accepted'], [third, 'accepted'], [fourth, 'accepted']])
    const wanted = [first, ...[second, rejected].sort((a, b) => a.event_id < b.event_id ? -1 : 1), third, fourth]
    t.match(told, wanted.map((event) => ({
      event_id: event.event_id, type: event.type, version: event.order.version, base: event.base, outcome: outcomes.get(event), occurred_at: event.occurred_at, request_id: 'test'
    })))
    t.strictSame(told.map(({ recorded_at: at }) => at === null), wanted.map((event) => outcomes.get(event) === 'accepted'))
    t.strictSame(told.filter((entry) => 'reason' in entry).map(({ reason }) => reason), ['not_storable'])
    const { item_description, item_quantity, item_price, total_value } = first.order
    t.strictSame(told[0]!.order, { item_description, item_quantity, item_price, total_value, status: 'confirmed' })
    const [end] = told.slice(1)
    t.strictSame(await orders.timeline(first.order.order_id, [first, third, fourth], { limit: 2, after: end }), told.slice(2, 4))
  })
}
