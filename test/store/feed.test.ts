import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { moveOrder, type OrderEvent } from '../../src/orders/event.js'
import { inTransaction } from '../../src/store/database.js'
import { highestPosition, readFeed } from '../../src/store/feed.js'
import { recordEvents, rejectWaiting, reopenRefused } from '../../src/store/order-events.js'
import { applyBatch } from '../../src/worker/batch.js'
import { amendment, insertPerson, placement } from '../support/events.js'
import { openPlace, openPool } from '../support/place.js'

const place = await openPlace(t)
const pool = openPool(t, place, { max: 12 })
const user = await insertPerson(pool)
const book = async (events: readonly OrderEvent[]) => await inTransaction(pool, async (client) => await applyBatch(client, events))
const feedFrom = async (after: number) => (await readFeed(pool, { after, limit: 1000 })).events
const end = async () => (await readFeed(pool, { after: Number.MAX_SAFE_INTEGER, limit: 1 })).end

t.test('events of one batch stand in the order of their versions, whatever order they came in', async (t) => {
  const before = await end()
  const chains = Array.from({ length: 5 }, () => {
    const first = placement(user)
    const second = amendment(first)
    return [first, second, amendment(second)]
  })
  await book(chains.flat().reverse())
  const feed = await feedFrom(before)
  t.equal(feed.length, 15)
  for (const chain of chains) {
    t.strictSame(feed.filter(({ data }) => data.order_id === chain[0]!.order.order_id).map(({ version }) => version), [1, 2, 3])
  }
})

t.test('a reader that only looks behind the last position it saw misses nothing of four writers, some of whom fail', async (t) => {
  const before = await end()
  let writing = true
  const seen: number[] = []
  const ids = new Set<string>()
  const reader = (async () => {
    for (let [after, last] = [before, false]; ;) {
      last = !writing
      const { events } = await readFeed(pool, { after, limit: 50 })
      for (const { position, event_id } of events) {
        seen.push(position)
        ids.add(event_id)
        after = position
      }
      if (last && events.length === 0) return
    }
  })()
  const kept: string[] = []
  const failure = new Error('rolled back')
  await Promise.all(Array.from({ length: 4 }, async (_, writer) => {
    for (let round = 0; round < 25; round++) {
      const events = Array.from({ length: 1 + (round % 4) }, () => placement(user))
      const fails = (round + writer) % 5 === 0
      await inTransaction(pool, async (client) => {
        await applyBatch(client, events)
        if (fails) throw failure
      }).catch((error: unknown) => { if (error !== failure) throw error })
      if (!fails) kept.push(...events.map(({ event_id }) => event_id))
    }
  }))
  writing = false
  await reader
  t.strictSame([...ids].sort(), kept.sort())
  t.strictSame(seen, [...seen].sort((a, b) => a - b), 'in ascending order, each once')
  t.ok(seen.at(-1)! - before > seen.length, 'and there were holes')
})

t.test('a transaction that stays open before it records holds up no other', async (t) => {
  const client = await pool.connect()
  t.teardown(() => client.release())
  await client.query('begin')
  const late = placement(user)
  await client.query("insert into fallback_queue (event_id, order_id, event) values ($1, $2, '{}')", [late.event_id, late.order.order_id])
  const before = await end()
  await book([placement(user)])
  t.equal((await feedFrom(before)).length, 1)
  await client.query('rollback')
})

t.test('an event that waits has no place until it is settled', async (t) => {
  const [before, first] = [await end(), placement(user)]
  const second = amendment(first)
  await book([second])
  t.strictSame(await feedFrom(before), [])
  await book([first])
  await inTransaction(pool, async (client) => await applyBatch(client, [], [first.order.order_id]))
  t.match(await feedFrom(before), [{ event_id: first.event_id }, { event_id: second.event_id }])
})

t.test('a rejected event is told with its reason; decided anew it leaves its place and is told again at the end', async (t) => {
  const [before, event] = [await end(), placement(user)]
  await recordEvents(pool, [{ event, outcome: 'rejected', reason: 'not_storable' }])
  const [refused] = await feedFrom(before)
  t.match(refused, { event_id: event.event_id, outcome: 'rejected', reason: 'not_storable', reopened: 0 })
  await reopenRefused(pool, [event.event_id])
  t.strictSame(await feedFrom(before), [])
  await book([event])
  const [told] = await feedFrom(before)
  t.match(told, { event_id: event.event_id, outcome: 'applied', reason: null, reopened: 1 })
  t.ok(told!.position > refused!.position)
})

t.test('an event that waited and is refused gets its place with the refusal', async (t) => {
  const [before, waiting] = [await end(), amendment(placement(user))]
  await book([waiting])
  t.equal(await rejectWaiting(pool, waiting.event_id, 'defect'), true)
  t.match(await feedFrom(before), [{ event_id: waiting.event_id, outcome: 'rejected', reason: 'defect' }])
})

t.test('what a worker of the release before records has its place and its user too', async (t) => {
  const [before, event] = [await end(), placement(user)]
  await pool.query(`
    insert into order_events (event_id, order_id, version, type, data, request_id, outcome, occurred_at)
    values ($1, $2, 1, 'order.placed', $3, 'r', 'applied', now())`, [event.event_id, event.order.order_id, JSON.stringify(event.order)])
  t.match((await readFeed(pool, { after: before, limit: 9, user_id: user })).events, [{ event_id: event.event_id }])
})

t.test('the feed of one user and of one order holds theirs alone, read by an index', async (t) => {
  const [other, before] = [await insertPerson(pool), await end()]
  const first = placement(other)
  await book([placement(user), first, placement(user)])
  const moved = moveOrder({ order: { ...first.order, status: 'confirmed' }, event_id: first.event_id }, 'paid', { event_id: randomUUID(), now: new Date().toISOString(), request_id: 'r', actor: 'operator:1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' })
  await book([moved])
  const ids = [first.event_id, moved.event_id]
  for (const whose of [{ user_id: other }, { order_id: first.order.order_id }]) {
    const { events, end } = await readFeed(pool, { after: before, limit: 10, ...whose })
    t.strictSame(events.map(({ event_id }) => event_id), ids)
    t.equal(end, events.at(-1)!.position)
    t.strictSame((await readFeed(pool, { after: before, limit: 1, ...whose })).events.map(({ event_id }) => event_id), [ids[0]])
    t.strictSame((await readFeed(pool, { after: end, limit: 1, ...whose })).events, [])
  }
  t.match((await feedFrom(before)).at(-1), { actor: 'operator:1', traceparent: /^00-0af/ })
  const { rows } = await pool.query('explain select position from order_events where position > 1 and user_id = (select 1) order by position limit 2')
  t.match(JSON.stringify(rows), 'order_events_by_user')
})

t.test('the highest position is the last that was drawn, also by a transaction that failed', async (t) => {
  await inTransaction(pool, async (client) => {
    await applyBatch(client, [placement(user)])
    throw new Error('no')
  }).catch(() => {})
  t.equal(await highestPosition(pool), await end() + 1)
})

t.test('rows that exist are numbered by when they were recorded; those that come meanwhile stand behind them', async (t) => {
  const own = await openPlace(t)
  const sql = async (name: string) => await own.pool.query(await readFile(new URL(`../../src/store/migrations/${name}.sql`, import.meta.url), 'utf8'))
  await own.pool.query(`
    drop table feed_cursors; drop trigger order_events_get_positions on order_events; drop function place_in_feed();
    alter table order_events drop column position, drop column user_id, drop column traceparent, drop column reopened;
    drop sequence order_events_position`)
  const insert = async (recordedAt: string, outcome: string) => {
    const { order, event_id } = placement(1)
    await own.pool.query(`
      insert into order_events (event_id, order_id, version, type, data, request_id, outcome, occurred_at, recorded_at)
      values ($1, $2, 1, 'order.placed', $3, 'r', $4, now(), $5)`, [event_id, order.order_id, JSON.stringify(order), outcome, recordedAt])
    return event_id
  }
  const third = await insert('2026-01-03', 'rejected')
  const first = await insert('2026-01-01', 'applied')
  const second = await insert('2026-01-02', 'applied')
  const waiting = await insert('2026-01-01', 'waiting')
  await sql('0009_feed_positions')
  const meanwhile = await insert('2026-01-01', 'applied')
  await sql('0010_number_the_feed')
  const { rows } = await own.pool.query('select event_id, position::integer, user_id from order_events order by position')
  t.strictSame(rows, [...[first, second, third, meanwhile].map((event_id, index) => ({ event_id, position: index + 1, user_id: 1 })), { event_id: waiting, position: null, user_id: 1 }])
  t.strictSame((await own.pool.query('select name, position::integer from feed_cursors')).rows, [{ name: 'exchange', position: 3 }])
})
