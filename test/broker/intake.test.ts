import t from 'tap'
import { INTAKE_EXCHANGE, ORDERS_QUEUE } from '../../src/broker/topology.js'
import { boot, isUp, startApi, startWorker } from '../support/apps.js'
import type { App } from '../support/apps.js'
import { openChannel } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { limitOf } from '../support/limits.js'
import { line, newcomer, place as order, type Person } from '../support/people.js'
import { needs, openPlace, shutDatabase } from '../support/place.js'
import { openProxy } from '../support/proxy.js'

const place = await openPlace(t)
const inFallbackQueue = async () => (await place.pool.query('select from fallback_queue')).rowCount
/** A token outlives every outage: it is verified without any service. */
const person = await newcomer(await startApi(t, place))

async function accepted (api: App, who: Person = person): Promise<string> {
  const answer = await order(api, who)
  if (answer.statusCode !== 202) throw new Error(answer.body)
  return answer.json<{ order_id: string }>().order_id
}

t.test('with the broker up an order is in the queue when it is answered, and not in the fallback queue', needs('rabbitmq'), async (t) => {
  const api = await startApi(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  await accepted(api)
  const message = await eventually('a message', async () => await channel.get(ORDERS_QUEUE, { noAck: true }))
  t.match(message.properties, { contentType: 'application/cloudevents+json', deliveryMode: 2 })
  t.equal(await inFallbackQueue(), 0)
})

t.test('many at once leave in few messages', needs('rabbitmq'), async (t) => {
  const api = await startApi(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  await Promise.all(Array.from({ length: 300 }, async () => await accepted(api)))
  const messages = await eventually('all are ready', async () => (await channel.checkQueue(ORDERS_QUEUE)).messageCount)
  t.ok(messages < 100, `${messages} messages for 300 orders`)
  await channel.purgeQueue(ORDERS_QUEUE)
})

t.test('with the broker away from the start an order goes by the fallback queue, and by the broker once it is there, without a restart', needs('rabbitmq'), async (t) => {
  const proxy = await openProxy(t, place.env.AMQP_URL!)
  proxy.mode = 'refuse'
  const api = await boot(t, 'api', { ...place.env, AMQP_URL: proxy.url })
  await isUp(api, 'postgres')
  await eventually('it says so', () => api.lines.some(({ service, state }) => service === 'rabbitmq' && state === 'down'))
  const orderId = await accepted(api)
  t.equal(await inFallbackQueue(), 1)
  proxy.mode = 'pass'
  await isUp(api, 'rabbitmq')
  await accepted(api)
  t.equal(await inFallbackQueue(), 1, 'the second went by the broker')
  const worker = await startWorker(t, place)
  await eventually('the first is booked too', async () => (await place.pool.query('select from orders where order_id = $1', [orderId])).rowCount === 1)
  await eventually('all is drained', async () => await worker.drained())
})

t.test('a link that dies while it is being opened ends no process', needs('rabbitmq'), async (t) => {
  const proxy = await openProxy(t, place.env.AMQP_URL!)
  const openChannelFrame = Buffer.from([0, 20, 0, 10]) // AMQP 0-9-1: class channel, method open
  proxy.cutOn = openChannelFrame
  const api = await boot(t, 'api', { ...place.env, AMQP_URL: proxy.url })
  await eventually('it says so', () => api.lines.some(({ service, state }) => service === 'rabbitmq' && state === 'down'))
  proxy.cutOn = null
  await isUp(api, 'rabbitmq')
})

t.test('a broker that stops answering costs one confirm time; then the fallback queue is the path at once', needs('rabbitmq'), async (t) => {
  const proxy = await openProxy(t, place.env.AMQP_URL!)
  const api = await startApi(t, place, { AMQP_URL: proxy.url })
  await accepted(api)
  proxy.mode = 'mute'
  await accepted(api)
  t.equal(await inFallbackQueue(), 1)
  const started = Date.now()
  await accepted(api)
  t.ok(Date.now() - started < limitOf(1200), 'a stalled broker is not waited for again')
  t.equal(await inFallbackQueue(), 2)
  proxy.cut()
  proxy.mode = 'pass'
  const worker = await startWorker(t, place)
  await eventually('the doubles are harmless', async () => await worker.drained() && await inFallbackQueue() === 0)
  const { rows } = await place.pool.query<{ n: number }>('select count(*)::int as n from orders group by order_id having count(*) > 1')
  t.same(rows, [])
})

t.test('a link that lost the broker\'s answers is given up and opened again, though it looks alive', needs('rabbitmq'), async (t) => {
  const proxy = await openProxy(t, place.env.AMQP_URL!)
  const api = await startApi(t, place, { AMQP_URL: proxy.url, CONFIRM_TIMEOUT_MS: '300' })
  proxy.mode = 'mute'
  await accepted(api)
  proxy.mode = 'pass' // heartbeats come through again, the confirm never will
  await eventually('it is given up', () => api.lines.some(({ service, state, reason }) => service === 'rabbitmq' && state === 'down' && reason === 'the broker does not confirm'))
  await isUp(api, 'rabbitmq')
  const before = await inFallbackQueue()
  await accepted(api)
  t.equal(await inFallbackQueue(), before, 'the broker took it')
  const worker = await startWorker(t, place)
  await eventually('all is drained', async () => await worker.drained())
})

t.test('a connection cut under load loses no order and books none twice', needs('rabbitmq'), async (t) => {
  const proxy = await openProxy(t, place.env.AMQP_URL!)
  const api = await startApi(t, place, { AMQP_URL: proxy.url })
  const worker = await startWorker(t, place)
  const before = (await place.pool.query('select from orders')).rowCount!
  const all: string[] = []
  for (let round = 0; round < 5; round++) {
    const several = Promise.all(Array.from({ length: 100 }, async () => await accepted(api)))
    proxy.cut()
    all.push(...await several)
  }
  await eventually('all are booked', async () => (await place.pool.query('select from orders where order_id = any($1)', [all])).rowCount === 500)
  await eventually('all is drained', async () => await worker.drained())
  t.equal((await place.pool.query('select from orders')).rowCount, before + 500)
  await isUp(api, 'rabbitmq')
})

t.test('a message that reaches no queue is not taken for booked, and the queue is declared again', needs('rabbitmq'), async (t) => {
  const api = await startApi(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  await channel.deleteQueue(ORDERS_QUEUE)
  await accepted(api)
  t.equal(await inFallbackQueue(), 1)
  await eventually('the next goes by the broker', async () => {
    const before = await inFallbackQueue()
    await accepted(api)
    return await inFallbackQueue() === before
  })
  await channel.purgeQueue(ORDERS_QUEUE)
  await place.pool.query('delete from fallback_queue')
})

t.test('a missing exchange costs no order and is declared again', needs('rabbitmq'), async (t) => {
  const api = await startApi(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  await channel.deleteExchange(INTAKE_EXCHANGE)
  await Promise.all(Array.from({ length: 40 }, async () => await accepted(api)))
  t.equal(await inFallbackQueue(), 40)
  await eventually('the next goes by the broker', async () => {
    const before = await inFallbackQueue()
    await accepted(api)
    return await inFallbackQueue() === before
  })
  await channel.purgeQueue(ORDERS_QUEUE)
  await place.pool.query('delete from fallback_queue')
})

t.test('with broker and Postgres both away the answer is 503 not-accepted, quickly, with Retry-After', async (t) => {
  const api = await startApi(t, place, { AMQP_URL: '' })
  const letIn = await shutDatabase(place)
  await eventually('the api knows', () => api.health.state('postgres') === 'down')
  const started = Date.now()
  const answer = await order(api, person)
  t.ok(Date.now() - started < limitOf(5000), `${Date.now() - started} ms`)
  t.equal(answer.statusCode, 503)
  t.match(answer.json(), { type: 'urn:comanda:problem:not-accepted' })
  t.equal(answer.headers['retry-after'], '2')
  await letIn()
  await eventually('it takes orders again', async () => (await order(api, person, line)).statusCode === 202)
})

t.test('on Postgres alone an order is accepted, readable at once, and confirmed', async (t) => {
  const alone = { AMQP_URL: '', REDIS_URL: '' }
  const [api] = [await startApi(t, place, alone), await startWorker(t, place, alone)]
  const orderId = await accepted(api)
  const read = async () => (await api.inject({ url: `/orders/${orderId}`, headers: person.headers })).json<{ status: string }>().status
  t.match(await read(), /accepted|confirmed/)
  await eventually('it is confirmed', async () => await read() === 'confirmed')
})
