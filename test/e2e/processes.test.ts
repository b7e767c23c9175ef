import pg from 'pg'
import t, { type Test } from 'tap'
import { ORDERS_QUEUE } from '../../src/broker/topology.js'
import { serializeEvent } from '../../src/orders/envelope.js'
import type { OrderEvent } from '../../src/orders/event.js'
import { startApi } from '../support/apps.js'
import { openChannel, publishRaw } from '../support/broker.js'
import { contractFetch } from '../support/contract.js'
import { placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { limitOf } from '../support/limits.js'
import { line, newcomer, place as order } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { portOf, runComanda } from '../support/processes.js'

const place = await openPlace(t)
const api = await startApi(t, place)
const person = await newcomer(api)
const count = async (table: 'orders' | 'fallback_queue' | 'order_events') => (await place.pool.query<{ n: number }>(`select count(*)::int as n from ${table}`)).rows[0]!.n
const orderMany = async (many: number) => await Promise.all(Array.from({ length: many }, async () => {
  const answer = await order(api, person)
  if (answer.statusCode !== 202) throw new Error(answer.body)
}))

t.test('killing the worker with orders queued loses none and books none twice', needs('rabbitmq'), async (t) => {
  const before = await count('orders')
  const first = runComanda(t, ['worker'], place.env)
  await first.said('started')
  for (let round = 0; round < 10; round++) await orderMany(200)
  await first.said('batch_booked')
  first.child.kill('SIGKILL')
  await first.exited
  await orderMany(200)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  await eventually('what it held is in the queue again', async () => (await channel.checkQueue(ORDERS_QUEUE)).messageCount)
  const second = runComanda(t, ['worker', '--once'], place.env)
  t.equal(await second.exited, 0)
  t.equal(await count('orders'), before + 2200)
  t.equal(await count('order_events'), before + 2200)
})

t.test('SIGTERM under load cuts no request off, and the api exits with 0 within 5 seconds', async (t) => {
  const before = await count('orders')
  const own = runComanda(t, ['api'], place.env)
  const ask = await contractFetch(`http://127.0.0.1:${portOf(await own.said('started'))}`)
  await eventually('it is ready', async () => (await ask('/readyz')).json().then((body) => (body as { status: string }).status === 'ready'))
  let accepted = 0
  const load = { on: true }
  const client = async () => {
    while (load.on) {
      const answer = await ask('/orders', { method: 'POST', body: JSON.stringify(line), headers: { ...person.headers, 'content-type': 'application/json' } })
      t.equal(answer.status, 202)
      await answer.text()
      accepted++
    }
  }
  const clients = Promise.all(Array.from({ length: 20 }, client))
  await eventually('load is on', () => accepted > 500)
  const started = Date.now()
  own.child.kill('SIGTERM')
  load.on = false
  await t.resolves(clients, 'whatever was asked before the signal is answered')
  t.equal(await own.exited, 0)
  t.ok(Date.now() - started < limitOf(6000), `${Date.now() - started} ms`)
  await runComanda(t, ['worker', '--once'], place.env).exited
  t.equal(await count('orders'), before + accepted, 'every 202 is booked')
})

/** Holds every write to `orders` until the returned function lets it go: a batch is then under way for as long as a test needs. */
async function holdWrites (t: Test): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: place.env.DATABASE_URL })
  await client.connect()
  t.teardown(async () => await client.end())
  await client.query('begin; lock table orders in access exclusive mode')
  return async () => { await client.query('rollback') }
}

const batchUnderWay = async () => await eventually('a batch is being written', async () =>
  (await place.pool.query("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%insert into orders%'")).rowCount)

t.test('killing the worker in the middle of a batch loses none of it: nothing is acked before its commit', needs('rabbitmq'), async (t) => {
  const before = await count('orders')
  const letGo = await holdWrites(t)
  await orderMany(300)
  const first = runComanda(t, ['worker'], place.env)
  await batchUnderWay()
  first.child.kill('SIGKILL')
  await first.exited
  await letGo()
  t.equal(await runComanda(t, ['worker', '--once'], place.env).exited, 0)
  t.equal(await count('orders'), before + 300)
})

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  t.test(`a later batch that is committed first acks nothing of the one before it: ${signal}`, needs('rabbitmq'), async (t) => {
    const channel = await openChannel(t, place.env.AMQP_URL!)
    const [slow, quick] = [placement(person.user_id), placement(person.user_id)]
    const booked = async ({ order }: OrderEvent) => (await place.pool.query('select from orders where order_id = $1', [order.order_id])).rowCount
    // An uncommitted row of the same id holds the first batch alone.
    const holder = new pg.Client({ connectionString: place.env.DATABASE_URL })
    await holder.connect()
    t.teardown(async () => await holder.end())
    await holder.query("begin; insert into orders values ('" + slow.order.order_id + "', " + person.user_id + ", 'x', 1, 1, 1, 'confirmed', 1, gen_random_uuid(), current_date, current_date)")
    await publishRaw(channel, serializeEvent(slow).json)
    const worker = runComanda(t, ['worker'], place.env)
    await batchUnderWay()
    await publishRaw(channel, serializeEvent(quick).json)
    await eventually('the second is booked', async () => await booked(quick))
    worker.child.kill(signal)
    await worker.exited
    await holder.query('rollback')
    t.equal(await runComanda(t, ['worker', '--once'], place.env).exited, 0)
    t.equal(await booked(slow), 1)
  })
}

t.test('SIGTERM to a busy worker: the batch under way is booked and acked, then it exits with 0 within 5 seconds', needs('rabbitmq'), async (t) => {
  const before = await count('orders')
  const letGo = await holdWrites(t)
  await orderMany(1)
  const worker = runComanda(t, ['worker'], place.env)
  await batchUnderWay()
  const started = Date.now()
  worker.child.kill('SIGTERM')
  await worker.said('closing')
  await letGo()
  t.equal(await worker.exited, 0)
  t.ok(Date.now() - started < limitOf(6000), `${Date.now() - started} ms`)
  t.equal(await count('orders'), before + 1)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  t.equal((await channel.checkQueue(ORDERS_QUEUE)).messageCount, 0, 'it comes again to nobody')
})

t.test('worker --once with Postgres away ends with 1 after its limit and says what to do', async (t) => {
  const worker = runComanda(t, ['worker', '--once', '--limit', '1'], { ...place.env, DATABASE_URL: 'postgres://127.0.0.1:1/nowhere' })
  t.equal(await worker.exited, 1)
  t.match(worker.output.join('\n'), /"event":"not_drained"/)
})

t.test('a bad environment is one message that names every bad variable, exit code 1', async (t) => {
  const bad = runComanda(t, ['api'], { ...place.env, PORT: 'many', LOG_LEVEL: 'loud', DATABASE_URL: '' })
  t.equal(await bad.exited, 1)
  t.equal(bad.output.length, 1)
  t.match(bad.output[0], /DATABASE_URL is missing.*PORT is not valid.*LOG_LEVEL is not valid/)
})

t.test('migrate applies what is missing and says so', async (t) => {
  const migrate = runComanda(t, ['migrate'], place.env)
  t.equal(await migrate.exited, 0)
  t.same(migrate.output, ['nothing to apply'])
})

t.test('a taken port is one clear line, exit code 1', async (t) => {
  await api.listen({ port: 0, host: '127.0.0.1' })
  const { port } = api.server.address() as { port: number }
  const second = runComanda(t, ['api'], { ...place.env, PORT: String(port) })
  t.equal(await second.exited, 1)
  t.match(second.output.at(-1), /EADDRINUSE/)
})
