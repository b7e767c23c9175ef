import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import type pg from 'pg'
import pino from 'pino'
import t from 'tap'
import { OrderViews } from '../../src/cache/order-views.js'
import type { OrderEvent } from '../../src/orders/event.js'
import { confirmed, type Order } from '../../src/orders/order.js'
import { acceptedView } from '../../src/orders/view.js'
import { isTransient } from '../../src/store/failures.js'
import { Booking } from '../../src/worker/booking.js'
import { Commits } from '../../src/worker/commits.js'
import { FallbackSource } from '../../src/worker/fallback-source.js'
import { viewsFollower } from '../../src/worker/views.js'
import { enqueueFallback, insertPerson, takenOf } from '../support/events.js'
import { FALLBACK, plainHistories, reasonsToReject, rivalHistories, rounds, type Settled, type Step, tell } from '../support/histories.js'
import { openPlace, openPool } from '../support/place.js'
import { holds } from '../support/properties.js'

const place = await openPlace(t)
const log = pino({ level: 'silent' })
/** Commits do not wait for the disk: nothing here ends a server. */
const open = (max: number) => openPool(t, place, { max, options: '-c synchronous_commit=off' })
const [pool, reader] = [open(FALLBACK + 1), open(1)]
const user = await insertPerson(reader)
const views = place.redis && new OrderViews(place.redis, place.redisPrefix, null, (error) => { throw error })
const commits = new Commits({ pool, log, traces: null, followers: views ? [viewsFollower(views)] : [] })
const booking = new Booking(pool, commits)
const fallback = new FallbackSource({ pool, booking, commits, log, storeIsUp: async () => {} })

/** Milliseconds before each statement in turn, so that transactions meet each other in many ways. */
let pauses: number[] = []
pool.on('connect', (client) => {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown
  let statements = 0
  client.query = (async (...args: unknown[]) => {
    const pause = pauses[statements++ % pauses.length] ?? 0
    if (pause > 0) await wait(pause)
    return await query(...args)
  }) as typeof client.query
})

interface Delivery {
  histories: Step[][]
  /** The batches of a round are booked at once, each on a connection of its own, with these pauses; null: one by one. */
  atOnce: number[] | null
}

const deliveries = (histories: fc.Arbitrary<Step[][]>): fc.Arbitrary<Delivery> =>
  fc.record({ histories, atOnce: fc.option(fc.array(fc.nat(2), { maxLength: 7 }), { freq: 4 }) }, { noNullPrototype: true })

interface Tables {
  orders: Array<Order & { event_id: string }>
  /** The timelines, each by version. */
  events: Settled[]
  parked: unknown[]
}

async function readTables (): Promise<Tables> {
  const [orders, events, parked] = await reader.query(`
    select * from orders order by order_id;
    select event_id, type, base, data as order, occurred_at, request_id, outcome, reason from order_events order by order_id, version, event_id;
    select reason from parked_events`) as unknown as pg.QueryResult[]
  return {
    orders: orders!.rows,
    events: events!.rows.map(({ outcome, reason, ...event }) => ({ event, outcome, reason })),
    parked: parked!.rows
  }
}

/** As the worker does it: a transient error is no end. */
async function bring ({ events, path }: { events: OrderEvent[], path: number }): Promise<void> {
  if (path === FALLBACK) await enqueueFallback(pool, events)
  for (let attempt = 0; ; attempt++) {
    try {
      await (path === FALLBACK ? fallback.drainOnce() : booking.book(events.map(takenOf), 'queue'))
      return
    } catch (error) {
      if (!isTransient(error) || attempt === 5) throw error
    }
  }
}

/** Brings every event by its paths, looks at the tables after each commit that is alone, and lets the worker come to rest. */
async function deliver ({ histories, atOnce }: Delivery, look: (tables: Tables) => Promise<void>): Promise<{ events: OrderEvent[], tables: Tables }> {
  await reader.query('delete from orders; delete from order_events; delete from fallback_queue; delete from parked_events')
  const told = tell(histories, user).flat()
  pauses = atOnce ?? []
  for (const batches of rounds(told)) {
    await views?.put(batches.flat().map((event) => ({ view: acceptedView(event) })))
    const paths = batches.map((events, path) => ({ events, path })).filter(({ events }) => events.length > 0)
    for (const together of atOnce ? [paths] : paths.map((path) => [path])) {
      await Promise.all(together.map(bring))
      await look(await readTables())
    }
  }
  let left = 1
  for (let times = 0; left > 0 && times < 20; times++) left = await fallback.drainOnce()
  assert.equal(left, 0, 'the worker never comes to rest')
  const tables = await readTables()
  await look(tables)
  return { events: told.filter(({ arrivals }) => arrivals.length > 0).map(({ event }) => event), tables }
}

/** Whoever watches never goes back: neither the rows, nor the events applied, nor the persisted views. */
function watcher (): (tables: Tables) => Promise<void> {
  const applied = new Map<string, string>()
  const versions = new Map<string, number>()
  const notBelow = (key: string, version: number) => {
    assert.ok(version >= (versions.get(key) ?? 0), `${key}: ${version} after ${versions.get(key)}`)
    versions.set(key, version)
  }
  return async ({ orders, events }) => {
    const now = new Map(events.filter(({ outcome }) => outcome === 'applied').map(({ event }) => [`${event.order.order_id} ${event.order.version}`, event.event_id]))
    for (const [key, eventId] of applied) assert.equal(now.get(key), eventId, 'what was applied stays applied')
    for (const [key, eventId] of now) applied.set(key, eventId)
    for (const { order_id: id, version, event_id: eventId } of orders) {
      notBelow(`row ${id}`, version)
      assert.equal(now.get(`${id} ${version}`), eventId, 'the row shows the event applied last')
    }
    for (const shown of await Promise.all(orders.map(async ({ order_id: id }) => (await views?.get(id))?.view))) {
      if (shown?.persisted) notBelow(`view ${shown.order.order_id}`, shown.order.version)
    }
  }
}

/** The row that this event leaves behind. */
const rowOf = (event: OrderEvent) => ({ ...confirmed(event.order), event_id: event.event_id })
const byOrder = (a: { order_id: string }, b: { order_id: string }) => a.order_id < b.order_id ? -1 : 1

async function showsRows ({ orders, events }: Tables): Promise<void> {
  const open = new Set(events.filter(({ outcome }) => outcome === 'waiting').map(({ event }) => event.order.order_id))
  for (const { event_id: eventId, ...order } of views ? orders : []) {
    if (open.has(order.order_id)) continue
    const { view, booked } = await views!.get(order.order_id)
    if (!booked) assert.deepEqual(view, { order, event_id: eventId, persisted: true })
    else assert.equal(view?.event_id ?? eventId, eventId, 'its reader asks for the row')
  }
}

t.test('without rivals any delivery ends as the history taken one by one', async (t) => {
  await holds(t, 80, deliveries(plainHistories), async (delivery) => {
    const { events, tables } = await deliver(delivery, watcher())
    const lasts = [...new Map(events.map((event) => [event.order.order_id, event])).values()]
    assert.deepEqual(tables.orders, lasts.map(rowOf).sort(byOrder))
    assert.deepEqual(tables.events, events.map((event) => ({ event, outcome: 'applied', reason: null })).sort((a, b) => byOrder(a.event.order, b.event.order)))
    assert.deepEqual(tables.parked, [])
    await showsRows(tables)
  })
})

t.test('rivals leave one winner a version, and every loser its reason', async (t) => {
  await holds(t, 80, deliveries(rivalHistories), async (delivery) => {
    const { events, tables } = await deliver(delivery, watcher())
    const sorted = (ids: string[]) => ids.sort()
    assert.deepEqual(sorted(tables.events.map(({ event }) => event.event_id)), sorted(events.map(({ event_id: id }) => id)), 'each event is recorded once')
    for (const { event, outcome, reason } of tables.events) {
      if (outcome === 'rejected') assert.ok(reasonsToReject(event, tables.events).includes(reason!), `${reason} is no reason`)
      const base = tables.events.find((other) => other.event.event_id === event.base)
      if (outcome === 'waiting') assert.ok(event.base !== null && (!base || base.outcome === 'waiting'), 'it waits and its base is known')
    }
    const applied = tables.events.filter(({ outcome }) => outcome === 'applied').map(({ event }) => event)
    const chains = [...new Set(applied.map(({ order }) => order.order_id))].map((id) => applied.filter(({ order }) => order.order_id === id))
    for (const chain of chains) {
      assert.deepEqual(chain.map(({ order }) => order.version), chain.map((_, index) => index + 1))
      assert.deepEqual(chain.map(({ base }) => base), [null, ...chain.slice(0, -1).map(({ event_id: id }) => id)])
    }
    assert.deepEqual(tables.orders, chains.map((chain) => rowOf(chain.at(-1)!)).sort(byOrder))
    assert.deepEqual(tables.parked, [])
    await showsRows(tables)
  })
})
