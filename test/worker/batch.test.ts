import type pg from 'pg'
import t from 'tap'
import type { OrderEvent } from '../../src/orders/event.js'
import { inStatement, inTransaction } from '../../src/store/database.js'
import { ordersToRevisit } from '../../src/store/order-events.js'
import { applyBatch, placePlain, setApart } from '../../src/worker/batch.js'
import { amendment, booked, insertPerson, placement } from '../support/events.js'
import { openPlace, openPool } from '../support/place.js'

const place = await openPlace(t)
const pool = openPool(t, place, { max: 4 })
const user = await insertPerson(pool)
const apply = async (events: OrderEvent[], revisit: string[] = []) => await inTransaction(pool, async (client) => await applyBatch(client, events, revisit))

t.test('placements become rows, each with its event, in one transaction', async (t) => {
  const placed = [placement(user), placement(user)]
  const { decisions, duplicates, views, placed: shown } = await apply(placed)
  t.same(decisions.map(({ outcome }) => outcome), ['applied', 'applied'])
  t.equal(duplicates, 0)
  t.same(new Set(shown), new Set(placed), 'what the api shows of them is marked')
  t.same(views, [])
  const { orders, events } = await booked(pool, placed.map(({ order }) => order.order_id))
  t.same(orders.map(({ event_id }) => event_id).sort(), placed.map(({ event_id }) => event_id).sort())
  t.same(events.map(({ outcome }) => outcome), ['applied', 'applied'])
})

t.test('the same batch again changes nothing and still gives the views', async (t) => {
  const placed = [placement(user), placement(user)]
  await apply(placed)
  const before = await booked(pool, placed.map(({ order }) => order.order_id))
  const again = await apply(placed)
  t.same(await booked(pool, placed.map(({ order }) => order.order_id)), before)
  t.same(again.decisions, [])
  t.equal(again.duplicates, 2)
  t.equal(again.views.length, 2)
})

t.test('one event several times in one batch is one row', async (t) => {
  const placed = placement(user)
  const { duplicates } = await apply([placed, placed, placed, placed, placed])
  t.equal(duplicates, 4)
  t.equal((await booked(pool, [placed.order.order_id])).orders.length, 1)
})

t.test('a chain of changes that comes in one batch ends in its last state', async (t) => {
  const first = placement(user)
  const second = amendment(first, 7)
  const third = amendment(second, 9)
  await apply([third, first, second])
  const { orders, events } = await booked(pool, [first.order.order_id])
  t.match(orders, [{ event_id: third.event_id, version: 3, item_quantity: 9, status: 'confirmed' }])
  t.same(events.map(({ outcome }) => outcome), ['applied', 'applied', 'applied'])
})

t.test('a change that comes before its placement waits, and is applied when its order is revisited', async (t) => {
  const first = placement(user)
  const second = amendment(first, 7)
  t.match((await apply([second])).decisions, [{ outcome: 'waiting' }])
  t.same((await booked(pool, [first.order.order_id])).orders, [])
  await apply([first])
  const revisit = await inTransaction(pool, async (client) => await ordersToRevisit(client, 10))
  t.same(revisit, [first.order.order_id])
  await apply([], revisit)
  const { orders, events } = await booked(pool, [first.order.order_id])
  t.match(orders, [{ event_id: second.event_id, version: 2, item_quantity: 7 }])
  t.same(events.map(({ outcome }) => outcome), ['applied', 'applied'])
  t.same(await inTransaction(pool, async (client) => await ordersToRevisit(client, 10)), [])
})

/** Applies events while another worker books `others` between the reading of the rows and of what was recorded. */
const applyBeside = async (events: OrderEvent[], others: OrderEvent[]) => await inTransaction(pool, async (client) => {
  let beside = async () => { beside = async () => {}; await apply(others) }
  return await applyBatch({
    query: async (statement: pg.QueryConfig) => {
      const answer: unknown = await client.query(statement)
      if (statement.name === 'lock_orders') await beside()
      return answer
    }
  } as unknown as typeof client, events)
})

t.test('a change whose placement is booked by another worker between two of its statements is not lost', async (t) => {
  const first = placement(user)
  const second = amendment(first, 7)
  await applyBeside([second], [first])
  await apply([], await inTransaction(pool, async (client) => await ordersToRevisit(client, 10)))
  const { orders, events } = await booked(pool, [first.order.order_id])
  t.match(orders, [{ event_id: second.event_id, version: 2, item_quantity: 7 }])
  t.same(events.map(({ outcome }) => outcome), ['applied', 'applied'])
})

t.test('the view of a change that loses to a placement booked between two of its statements gives way to the row', async (t) => {
  const first = placement(user)
  const [winner, loser] = [amendment(first, 7), amendment(first, 8)]
  const onLoser = amendment(loser, 80)
  const { decisions, views } = await applyBeside([onLoser], [first, winner, loser])
  t.match(decisions, [{ outcome: 'rejected', reason: 'base_rejected' }])
  t.match(views, [{ view: { event_id: winner.event_id }, replaces: onLoser.event_id }])
})

t.test('of two rival changes that wait for one placement the loser is rejected, and waits no more', async (t) => {
  const first = placement(user)
  const rivals = [amendment(first, 7), amendment(first, 8)]
  await apply([...rivals, amendment(rivals[0]!, 70), amendment(rivals[1]!, 80)])
  await apply([first])
  await apply([], [first.order.order_id])
  const { events } = await booked(pool, [first.order.order_id])
  t.same(events.map(({ outcome, reason }) => reason ?? outcome).sort(), ['applied', 'applied', 'applied', 'base_rejected', 'superseded'])
  t.same(await inTransaction(pool, async (client) => await ordersToRevisit(client, 10)), [])
})

t.test('of two rival changes one wins, and the loser never undoes a later one', async (t) => {
  const first = placement(user)
  const winner = amendment(first, 7)
  const loser = amendment(first, 8)
  const onLoser = amendment(loser, 80)
  await apply([first])
  await apply([winner, loser])
  await apply([onLoser])
  await apply([loser, onLoser, first])
  const { orders, events } = await booked(pool, [first.order.order_id])
  t.match(orders, [{ event_id: winner.event_id, version: 2, item_quantity: 7 }])
  t.same(events.filter(({ outcome }) => outcome === 'rejected').map(({ reason }) => reason).sort(), ['base_rejected', 'superseded'])
})

t.test('the view of a rejected change gives way to the row each time it comes: it may have been put late', async (t) => {
  const first = placement(user)
  const [winner, loser] = [amendment(first, 7), amendment(first, 8)]
  for (const events of [[first, winner, loser], [loser]]) {
    t.match((await apply(events)).views, [{ view: { event_id: winner.event_id }, replaces: loser.event_id }])
  }
})

t.test('a rival placement of the same order is rejected, in the same batch too, and its view gives way to the row', async (t) => {
  const first = placement(user)
  const rival = placement(user, { order: { ...first.order, item_quantity: 9, total_value: 4500 } })
  const { views } = await apply([first, rival])
  const { orders, events } = await booked(pool, [first.order.order_id])
  t.match(orders, [{ event_id: first.event_id, item_quantity: 2 }])
  t.match(events.find(({ event_id }) => event_id === rival.event_id), { outcome: 'rejected', reason: 'already_placed' })
  t.same(views.map(({ replaces }) => replaces), [rival.event_id])
})

t.test('two workers with the same events in opposite order end in the same rows, without a deadlock', async (t) => {
  const placed = Array.from({ length: 200 }, () => placement(user))
  const changes = placed.map((event) => amendment(event, 5))
  const all = [...placed, ...changes]
  await Promise.all([apply(all), apply(all.toReversed()), apply(changes), apply(placed.toReversed())])
  const ids = placed.map(({ order }) => order.order_id)
  const revisit = await inTransaction(pool, async (client) => await ordersToRevisit(client, 1000))
  if (revisit.length > 0) await apply([], revisit)
  const { orders, events } = await booked(pool, ids)
  t.same(new Set(orders.map(({ version, item_quantity }) => `${version} ${item_quantity}`)), new Set(['2 5']))
  t.equal(orders.length, 200)
  t.same(new Set(events.map(({ outcome }) => outcome)), new Set(['applied']))
  t.equal(events.length, 400)
})

t.test('an order of an unknown user takes its whole transaction down', async (t) => {
  const good = placement(user)
  await t.rejects(apply([good, placement(2_000_000_000)]), { name: 'StoreError', code: 'bad_data', constraint: 'orders_user_id_fkey' })
  t.same((await booked(pool, [good.order.order_id])).orders, [])
})

t.test('a placement is plain when nothing else of its batch is about its order', async (t) => {
  const [plain, twice, changed, rival] = [placement(user), placement(user), placement(user), placement(user)]
  const change = amendment(changed)
  const other = { ...placement(user), order: { ...placement(user).order, order_id: rival.order.order_id } }
  t.strictSame(setApart([twice, changed, plain, twice, change, rival, other]), { plain: [plain], rest: [twice, changed, twice, change, rival, other] })
  t.strictSame(setApart([]), { plain: [], rest: [] })
  const [one, namesake] = [placement(user), { ...placement(user), event_id: plain.event_id }]
  t.strictSame(setApart([plain, one, namesake]), { plain: [one], rest: [plain, namesake] }, 'two orders under one event id')
})

t.test('plain placements are applied in one statement, and those whose orders have rows are left', async (t) => {
  const place = async (...events: OrderEvent[]) => await inStatement(pool, async (client) => await placePlain(client, events))
  const [known, fresh] = [placement(user), placement(user)]
  t.match(await place(known), { applied: { decisions: [{ event: known, outcome: 'applied' }], duplicates: 0, placed: [known], views: [] }, left: [] })
  t.match(await place(known, fresh), { applied: { decisions: [{ event: fresh }], placed: [fresh] }, left: [known] })
  t.strictSame(await place(known), { applied: null, left: [known] })
})
