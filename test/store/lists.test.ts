import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { v7 } from 'uuid'
import { decodeCursor, encodeCursor, type OrderFilter, toPage } from '../../src/orders/page.js'
import type { OrderStatus } from '../../src/orders/status.js'
import { listOrders } from '../../src/store/orders.js'
import { explainList, pagesRead, rowsRead } from '../../testkit/plans.js'
import { insertPerson } from '../support/events.js'
import { openPlace, openPool } from '../support/place.js'
import { holds } from '../support/properties.js'

interface Row { order_id: string, user_id: number, status: OrderStatus, created_at: string }

const STATUSES = ['confirmed', 'paid', 'shipped', 'delivered', 'cancelled'] as const
const place = await openPlace(t)
const pool = openPool(t, place, { max: 2, options: '-c synchronous_commit=off' })
const users = [await insertPerson(pool), await insertPerson(pool), await insertPerson(pool)]

const moment = (ms: number) => new Date(Date.UTC(2026, 2, 1) + ms).toISOString()
const newestFirst = (a: Row, b: Row) => `${a.created_at} ${a.order_id}` < `${b.created_at} ${b.order_id}` ? 1 : -1
const idsOf = (rows: ReadonlyArray<{ order_id: string }>) => rows.map(({ order_id: id }) => id)

async function insert (rows: readonly Row[]): Promise<void> {
  await pool.query(`
    insert into orders (order_id, user_id, item_description, item_quantity, item_price, total_value, status, version, event_id, created_at, updated_at)
    select order_id, user_id, 'x', 1, 1, 1, status, 1, order_id, created_at, created_at
    from unnest($1::uuid[], $2::integer[], $3::text[], $4::timestamptz[]) as given (order_id, user_id, status, created_at)`,
  [idsOf(rows), rows.map((row) => row.user_id), rows.map((row) => row.status), rows.map((row) => row.created_at)])
}

/** Every page in turn, as a client walks them. @param limits of the pages, again and again */
async function walk (filter: Omit<OrderFilter, 'limit' | 'after'>, limits: readonly number[], between = async () => {}): Promise<string[]> {
  const seen: string[] = []
  let after: OrderFilter['after']
  for (let page = 0; ; page++) {
    const limit = limits[page % limits.length]!
    const { items, next_cursor: next } = toPage(await listOrders(pool, { ...filter, after, limit: limit + 1 }), limit, encodeCursor)
    seen.push(...idsOf(items))
    if (next === null) return seen
    assert.ok(page < 500, 'it never ends')
    after = decodeCursor(next)!
    await between()
  }
}

const someRow = fc.record({ user: fc.nat(2), status: fc.constantFrom(...STATUSES), ms: fc.nat(8) })
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 }) // every other time
const someMoment = maybe(fc.integer({ min: -1, max: 9 }).map(moment))

t.test('any filters and limits give what a look at every row gives', async (t) => {
  const given = fc.record({
    rows: fc.array(someRow, { maxLength: 40, size: 'max' }),
    user: maybe(fc.nat(2)),
    status: maybe(fc.constantFrom(...STATUSES, 'accepted' as const, 'rejected' as const)),
    created_from: someMoment,
    created_to: someMoment,
    limits: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 })
  })
  await holds(t, 150, given, async ({ rows: plan, user, limits, ...filter }) => {
    await pool.query('delete from orders')
    const rows = plan.map(({ user, status, ms }): Row => ({ order_id: v7(), user_id: users[user]!, status, created_at: moment(ms) }))
    await insert(rows)
    const user_id = user === undefined ? undefined : users[user]
    const { status, created_from: from, created_to: to } = filter
    const wanted = rows.filter((row) => (user_id === undefined || row.user_id === user_id) && (status === undefined || row.status === status) &&
      (from === undefined || row.created_at >= from) && (to === undefined || row.created_at < to)).sort(newestFirst)
    assert.deepEqual(await walk({ ...filter, user_id }, limits), idsOf(wanted))
    assert.deepEqual(idsOf(await listOrders(pool, { ...filter, user_id, limit: 100 })), idsOf(wanted))
  })
})

t.test('a cursor of another list opens no order outside the dates', async (t) => {
  await pool.query('delete from orders')
  const rows = [5, 4, 4, 3].map((ms): Row => ({ order_id: v7(), user_id: users[0]!, status: 'paid', created_at: moment(ms) }))
  await insert(rows)
  const after = { created_at: moment(100), order_id: 'ffffffff-ffff-7fff-bfff-ffffffffffff' }
  t.strictSame(idsOf(await listOrders(pool, { created_to: moment(4), after, limit: 10 })), [rows[3]!.order_id])
})

t.test('a walk during inserts sees every order that was there when it began once, and none twice', async (t) => {
  await holds(t, 20, fc.record({
    limits: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
    mine: fc.boolean(),
    news: fc.array(fc.array(someRow, { maxLength: 6 }), { minLength: 1, maxLength: 8 })
  }), async ({ limits, mine, news }) => {
    await pool.query('delete from orders')
    const rowsOf = (some: typeof news[number]) => some.map(({ user, status, ms }): Row => ({ order_id: v7(), user_id: users[user]!, status, created_at: moment(ms) }))
    const before = rowsOf(Array.from({ length: 60 }, (_, index) => ({ user: index % 3, status: STATUSES[index % 5]!, ms: index % 7 })))
    await insert(before)
    let page = 0
    // Older, newer and equal moments, while the walk stands between two pages and while it reads one.
    let writing = Promise.resolve()
    const seen = await walk(mine ? { user_id: users[0] } : {}, limits, async () => {
      await writing
      writing = insert(rowsOf(news[page++ % news.length]!))
      if (page % 2 === 0) await writing
    })
    await writing
    assert.equal(new Set(seen).size, seen.length, 'none twice')
    const wanted = idsOf(before.filter((row) => !mine || row.user_id === users[0]))
    assert.deepEqual(wanted.filter((id) => !seen.includes(id)), [], 'none skipped')
  })
})

t.test('a row between two milliseconds, which a cursor could not name, is refused', async (t) => {
  const row: Row = { order_id: v7(), user_id: users[0]!, status: 'paid', created_at: '2026-03-01T00:00:00.000001Z' }
  await t.rejects(insert([row]), { message: /orders_created_in_milliseconds/ })
})

t.test('a page reads no more than its few candidates, whatever the filters', async (t) => {
  await pool.query('delete from orders')
  // Nine in ten are of one user, but of the newest 3000 none; `paid` is rare, `shipped` is not there at all.
  await pool.query(`
    insert into orders (order_id, user_id, item_description, item_quantity, item_price, total_value, status, version, event_id, created_at, updated_at)
    select gen_random_uuid(), case when n > 27000 or n % 50 = 19 then $3::integer when n % 10 < 9 then $1 when n % 50 = 9 then $2 else $3 end, 'x', 1, 1, 1,
      case when n % 5000 = 7 then 'paid' when n % 100 = 3 then 'cancelled' when n % 10 < 7 then 'delivered' else 'confirmed' end,
      1, gen_random_uuid(), created_at, created_at
    from generate_series(1, 30000) as n, lateral (select timestamptz '2026-03-01Z' + n * interval '1 s' as created_at) as moment`, users)
  await pool.query('vacuum analyze orders')
  const client = await pool.connect()
  t.teardown(() => client.release())
  const limit = 21
  const candidates = STATUSES.length * limit
  const whose = [undefined, ...users].map((user_id) => ({ user_id }))
  const states = [undefined, 'delivered', 'paid', 'shipped'] as const
  const dates = [{}, { created_from: moment(15_000_000), created_to: moment(15_060_000) }, { created_to: moment(28_000_000) }, { created_from: moment(2_000_000) }]
  const pages = [undefined, 15_030_000, 29_990_000].map((ms) => ({ after: ms === undefined ? undefined : { created_at: moment(ms), order_id: v7() } }))
  const filters = whose.flatMap((user) => states.flatMap((status) => dates.flatMap((window) => pages.map((page) => ({ limit, ...user, status, ...window, ...page })))))
  for (const plan of ['generic', 'custom'] as const) {
    for (const filter of filters) {
      const nodes = await explainList(client, filter, plan)
      const facts = { names: nodes.map((node) => node['Node Type']), rows: rowsRead(nodes), pages: pagesRead(nodes) }
      // At worst each row lies on a page of its own; the way down an index is three pages, and five are gone.
      const isShort = facts.rows <= candidates && facts.pages <= candidates + STATUSES.length * 4
      const isOrdered = facts.names.every((name) => name !== 'Seq Scan' && !name.startsWith('Bitmap'))
      t.ok(isShort && isOrdered, JSON.stringify({ plan, ...filter, ...facts }))
    }
  }
})
