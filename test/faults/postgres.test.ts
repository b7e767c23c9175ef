import pg from 'pg'
import t, { type Test } from 'tap'
import { serializeEvent } from '../../src/orders/envelope.js'
import type { OrderEvent } from '../../src/orders/event.js'
import { inTransaction } from '../../src/store/database.js'
import { applyBatch } from '../../src/worker/batch.js'
import { administer } from '../../testkit/databases.js'
import { type App, boot, isUp, startApi, startWorker } from '../support/apps.js'
import { openChannel, publishRaw } from '../support/broker.js'
import { amendment, booked, insertPerson, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { limitOf } from '../support/limits.js'
import { newcomer, place as placeOrder } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { openProxy } from '../support/proxy.js'

const place = await openPlace(t)
const { pool } = place
const url = place.env.DATABASE_URL!
const database = new URL(url).pathname.slice(1)
const user = await insertPerson(pool)
const all = needs('redis', 'rabbitmq')

const publish = async (event: OrderEvent) => await publishRaw(await openChannel(t, place.env.AMQP_URL!), serializeEvent(event).json)
const rows = async ({ order }: OrderEvent) => (await booked(pool, [order.order_id])).orders.length
const wasHeld = async (worker: App) => await eventually('the batch is held', () => worker.lines.some(({ event }) => event === 'batch_retried'))
/** Booked once, acked, and nothing parked on the way. */
async function isBooked (t: Test, worker: App, event: OrderEvent): Promise<void> {
  await eventually('it is booked', async () => await rows(event))
  await eventually('it is acked', async () => await worker.drained())
  t.equal((await booked(pool, [event.order.order_id])).events.length, 1)
  t.equal((await pool.query('select from parked_events')).rowCount, 0)
}

/** What of an event's booking is sent last: a placement is one statement that commits by itself. */
const COMMITS = [
  {
    sent: 'book_placements',
    event: async () => placement(user),
    lost: 'the statement that books a placement, its answer lost, is repeated and books nothing again',
    cut: 'the statement that books a placement, which never reached Postgres, is repeated'
  },
  {
    sent: 'commit',
    event: async () => amendment(await bookedPlacement()),
    lost: 'the COMMIT of a change, its answer lost, is repeated and books nothing again',
    cut: 'the COMMIT of a change, which never reached Postgres, is repeated'
  }
]

async function bookedPlacement (): Promise<OrderEvent> {
  const placed = placement(user)
  await inTransaction(pool, async (client) => await applyBatch(client, [placed]))
  return placed
}

/** Booked once, and acked. */
async function isSettled (t: Test, worker: App, { event_id }: OrderEvent): Promise<void> {
  const outcomes = async () => (await pool.query<{ outcome: string }>('select outcome from order_events where event_id = $1', [event_id])).rows.map(({ outcome }) => outcome)
  await eventually('it is booked', async () => (await outcomes()).length > 0)
  await eventually('it is acked', async () => await worker.drained())
  t.strictSame(await outcomes(), ['applied'])
  t.equal((await pool.query('select from parked_events')).rowCount, 0)
}

for (const { sent, event, lost, cut } of COMMITS) {
  t.test(lost, all, async (t) => {
    const proxy = await openProxy(t, url)
    const worker = await startWorker(t, place, { DATABASE_URL: proxy.url })
    const first = await event()
    await publish(first)
    await isSettled(t, worker, first)
    const again = await event()
    proxy.cutAfter = Buffer.from(sent)
    await publish(again)
    await wasHeld(worker)
    await isSettled(t, worker, again)
    t.match(worker.lines.filter(({ event }) => event === 'batch_booked').at(-1), { applied: 0, duplicates: 1 }, 'the first one had come through')
  })

  t.test(cut, all, async (t) => {
    const proxy = await openProxy(t, url)
    const worker = await startWorker(t, place, { DATABASE_URL: proxy.url, AMQP_URL: place.env.AMQP_URL! })
    const given = await event()
    proxy.cutOn = Buffer.from(sent)
    await publish(given)
    await wasHeld(worker)
    t.equal((await pool.query('select from order_events where event_id = $1', [given.event_id])).rowCount, 0)
    proxy.cutOn = null
    await isSettled(t, worker, given)
  })
}

t.test('a statement that waits for a lock gives up in its time, and the batch is tried again', all, async (t) => {
  const worker = await startWorker(t, place)
  const holder = new pg.Client({ connectionString: url })
  await holder.connect()
  t.teardown(async () => await holder.end())
  await holder.query('begin; lock table orders in access exclusive mode')
  const placed = placement(user)
  await publish(placed)
  await wasHeld(worker)
  await holder.query('rollback')
  await isBooked(t, worker, placed)
})

t.test('a read-only Postgres holds the batch and parks nothing; orders are accepted meanwhile', all, async (t) => {
  const setReadOnly = async (on: boolean) => {
    await administer(process.env.TEST_POSTGRES!, `alter database ${database} set default_transaction_read_only = ${on ? 'on' : 'off'}`)
    await administer(process.env.TEST_POSTGRES!, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}' and application_name like 'comanda%'`)
  }
  const [api, worker] = [await startApi(t, place), await startWorker(t, place)]
  const person = await newcomer(api)
  t.teardown(async () => await setReadOnly(false))
  await setReadOnly(true)
  const answer = await placeOrder(api, person)
  t.equal(answer.statusCode, 202)
  await wasHeld(worker)
  await setReadOnly(false)
  await eventually('it is booked', async () => (await booked(pool, [answer.json<{ order_id: string }>().order_id])).orders.length)
  t.equal((await pool.query('select from parked_events')).rowCount, 0)
})

t.test('connections that stand at a server that has become read-only are given up though nobody writes: behind its address another may lead', async (t) => {
  const run = async (...statements: string[]) => await administer<{ pid: number }>(process.env.TEST_POSTGRES!, ...statements)
  const setDefault = async (value: string) => await run(`alter database ${database} set default_transaction_read_only = ${value}`)
  const pids = async () => (await run(`select pid from pg_stat_activity where datname = '${database}' and application_name = 'comanda api'`)).map(({ pid }) => pid)
  t.teardown(async () => await setDefault('off'))
  const api = await startApi(t, place)
  await setDefault('on')
  await run(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}' and application_name = 'comanda api'`)
  await eventually('it is back, with sessions that are read-only', async () => api.health.state('postgres') === 'up' && (await api.pg.pool.query("select current_setting('transaction_read_only') as on")).rows[0].on === 'on')
  await setDefault('off') // known to new sessions alone
  const before = await pids()
  t.ok(before.length > 0)
  await eventually('all of them are gone', async () => !(await pids()).some((pid) => before.includes(pid)))
})

t.test('with no connection left in Postgres the worker waits, and books once there is one', all, async (t) => {
  const role = `${database}_one`
  await administer(process.env.TEST_POSTGRES!, `create role ${role} login connection limit 1 password 'one'`)
  t.teardown(async () => {
    await pool.query(`drop owned by ${role}`)
    await administer(process.env.TEST_POSTGRES!, `drop role ${role}`)
  })
  await pool.query(`grant all on all tables in schema public to ${role}; grant all on all sequences in schema public to ${role}`)
  const limited = new URL(url)
  Object.assign(limited, { username: role, password: 'one' })
  const taker = new pg.Client({ connectionString: limited.href })
  await taker.connect()
  const worker = await boot(t, 'worker', { ...place.env, DATABASE_URL: limited.href })
  await eventually('it says so', () => worker.lines.some(({ service, state, reason }) => service === 'postgres' && state === 'down' && /too many connections/.test(String(reason))))
  const placed = placement(user)
  await publish(placed)
  await taker.end()
  await pool.query(`alter role ${role} connection limit 20`)
  await isBooked(t, worker, placed)
})

t.test('a Postgres that accepts and keeps silent is known to be away in seconds; then nobody waits for it', all, async (t) => {
  const person = await newcomer(await startApi(t, place))
  const proxy = await openProxy(t, url)
  const api = await startApi(t, place, { DATABASE_URL: proxy.url })
  proxy.mode = 'mute'
  await eventually('it knows', () => api.health.state('postgres') === 'down')
  const started = performance.now()
  t.equal((await placeOrder(api, person)).statusCode, 202, 'the broker takes it')
  t.equal((await api.inject({ url: '/orders', headers: person.headers })).statusCode, 503)
  t.equal((await api.inject({ method: 'POST', url: '/auth/token/renew', headers: person.headers })).statusCode, 200)
  const took = performance.now() - started
  t.ok(took < limitOf(1500), `${Math.round(took)} ms`)
  proxy.cut()
  proxy.mode = 'pass'
  await isUp(api, 'postgres')
})

t.test('reads that fill the pool do not keep an order out of the fallback queue', async (t) => {
  const api = await startApi(t, place, { AMQP_URL: '' })
  const person = await newcomer(api)
  const held = await Promise.all(Array.from({ length: 10 }, async () => await api.pg.pool.connect()))
  const answer = await placeOrder(api, person)
  for (const client of held) client.release()
  t.equal(answer.statusCode, 202)
})
