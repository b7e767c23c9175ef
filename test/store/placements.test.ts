import t from 'tap'
import type { OrderEvent } from '../../src/orders/event.js'
import { inStatement, inTransaction } from '../../src/store/database.js'
import { FEED_LOCK, recordEvents } from '../../src/store/order-events.js'
import { insertPlacements } from '../../src/store/orders.js'
import { bookPlacements } from '../../src/store/placements.js'
import { eventually } from '../support/eventually.js'
import { booked, insertPerson, placement } from '../support/events.js'
import { openPlace, openPool } from '../support/place.js'

const place = await openPlace(t)
const pool = openPool(t, place, { max: 6 })
const user = await insertPerson(pool)
const book = async (...placements: OrderEvent[]) => await inStatement(pool, async (client) => await bookPlacements(client, placements))
const idsOf = (...events: OrderEvent[]) => events.map(({ order }) => order.order_id)
const positionsOf = async (...events: OrderEvent[]) => {
  const { rows } = await pool.query<{ position: number }>('select position from order_events where event_id = any($1::uuid[]) order by position', [events.map(({ event_id }) => event_id)])
  return rows.map(({ position }) => position)
}
/** Sessions that wait for a lock of this kind. */
const waiting = async (kind: string) => (await pool.query('select from pg_locks where not granted and locktype = $1', [kind])).rows.length

t.test('each becomes a row with its event, which has a position in the feed', async (t) => {
  const placed = [placement(user), placement(user), { ...placement(user), actor: `customer:${user}`, traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }]
  t.same(await book(...placed), new Set(placed.map(({ event_id }) => event_id)))
  const { orders, events } = await booked(pool, idsOf(...placed))
  t.equal(orders.length, 3)
  t.same(events.map(({ outcome }) => outcome), ['applied', 'applied', 'applied'])
  t.equal(new Set(await positionsOf(...placed)).size, 3)
})

t.test('the rows are those that a transaction makes, to the last column', async (t) => {
  const [one, other] = [placement(user), placement(user)]
  await book(one)
  await inTransaction(pool, async (client) => {
    await insertPlacements(client, [other])
    await recordEvents(client, [{ event: other, outcome: 'applied' }])
  })
  const rowOf = async (table: string, { order }: OrderEvent) => (await pool.query<Record<string, unknown>>(`select * from ${table} where order_id = $1`, [order.order_id])).rows[0]!
  const own = new Set(['order_id', 'event_id', 'created_at', 'updated_at', 'occurred_at', 'recorded_at', 'position', 'request_id', 'data'])
  for (const table of ['orders', 'order_events']) {
    const [a, b] = [await rowOf(table, one), await rowOf(table, other)]
    for (const column of Object.keys(a)) own.has(column) ? t.type(a[column], typeof b[column], column) : t.same(a[column], b[column], column)
  }
})

t.test('of an order that has a row nothing is written, and the others are booked', async (t) => {
  const [known, fresh] = [placement(user), placement(user)]
  await book(known)
  const before = await booked(pool, idsOf(known))
  t.same(await book(known, fresh), new Set([fresh.event_id]))
  t.same(await booked(pool, idsOf(known)), before)
  t.equal((await booked(pool, idsOf(fresh))).events.length, 1)
})

t.test('a rival for an order that has a row is left to the chain', async (t) => {
  const first = placement(user)
  const rival = { ...placement(user), order: { ...placement(user).order, order_id: first.order.order_id } }
  await book(first)
  t.same(await book(rival), new Set())
  t.equal((await booked(pool, idsOf(first))).events.length, 1)
})

t.test('one that can never be a row takes the statement down: nothing of it is written', async (t) => {
  const [sound, broken] = [placement(user), placement(2_000_000_000)]
  await t.rejects(book(sound, broken), { code: 'bad_data', constraint: 'orders_user_id_fkey' })
  t.same(await booked(pool, idsOf(sound, broken)), { orders: [], events: [] })
})

t.test('a position is drawn under the lock of the feed, which is waited for', async (t) => {
  const placed = placement(user)
  let booking: Promise<unknown> = Promise.resolve()
  await inTransaction(pool, async (client) => {
    await client.query(`select pg_advisory_xact_lock(${FEED_LOCK})`)
    booking = book(placed)
    await eventually('it waits for the feed', async () => await waiting('advisory') === 1)
    t.same((await booked(pool, idsOf(placed))).orders, [])
  })
  await booking
  t.equal((await booked(pool, idsOf(placed))).orders.length, 1)
})

t.test('one that waits for another worker\'s row does not hold the feed, which that worker needs to end', async (t) => {
  const both = placement(user)
  const more = [placement(user), placement(user)]
  let booking: Promise<Set<string>> = Promise.resolve(new Set())
  await inTransaction(pool, async (client) => {
    await insertPlacements(client, [both])
    booking = book(...more, both)
    await eventually('it waits for the row', async () => await waiting('transactionid') === 1)
    await recordEvents(client, [{ event: both, outcome: 'applied' }])
  })
  t.same(await booking, new Set(more.map(({ event_id }) => event_id)))
})

t.test('several at once over the same orders book each once, and none is refused for a deadlock', async (t) => {
  const placed = Array.from({ length: 60 }, () => placement(user))
  for (let round = 0; round < 5; round++) {
    const some = placed.slice(round * 12, round * 12 + 12)
    const results = await Promise.all([book(...some), book(...some.toReversed()), book(...some.slice(6)), book(...some.slice(0, 6).toReversed())])
    t.equal(results.reduce((sum, { size }) => sum + size, 0), 12)
  }
  t.equal((await booked(pool, idsOf(...placed))).events.length, 60)
})
