import t from 'tap'
import { ORDERS_QUEUE } from '../../src/broker/topology.js'
import { startApi, startWorker } from '../support/apps.js'
import { openChannel } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { line, newcomer, place as placeOrder, reads, type Shown } from '../support/people.js'
import { needs, openPlace, shutDatabase } from '../support/place.js'
import { isProblem } from '../support/problems.js'
import { portOf, runComanda } from '../support/processes.js'
import { openProxy } from '../support/proxy.js'

const place = await openPlace(t)
const api = await startApi(t, place)
const ana = await newcomer(api)
const ordersOf = async (userId: number) => (await place.pool.query('select from orders where user_id = $1', [userId])).rowCount

t.test('an api killed before it answered: the repetition at another one names the order that was sent, and it is booked once', needs('redis', 'rabbitmq'), async (t) => {
  const proxy = await openProxy(t, place.env.AMQP_URL!)
  const doomed = runComanda(t, ['api'], { ...place.env, AMQP_URL: proxy.url, CONFIRM_TIMEOUT_MS: '60000' })
  const port = portOf(await doomed.said('started'))
  await doomed.said('rabbitmq_up')
  const channel = await openChannel(t, place.env.AMQP_URL!)
  proxy.mode = 'mute' // its event reaches the broker, the confirm never reaches it
  const headers = { ...ana.headers, 'content-type': 'application/json', 'idempotency-key': 'killed' }
  const lost = t.rejects(fetch(`http://127.0.0.1:${port}/orders`, { method: 'POST', headers, body: JSON.stringify(line) }))
  const sent = await eventually('its event is in the queue', async () => await channel.get(ORDERS_QUEUE))
  doomed.child.kill('SIGKILL')
  await lost
  const again = await placeOrder(api, ana, line, { 'idempotency-key': 'killed' })
  const { order_id: id } = again.json<Shown>()
  t.equal(again.statusCode, 202)
  t.equal((JSON.parse(sent.content.toString()) as { subject: string }).subject, id)
  channel.nack(sent)
  const worker = await startWorker(t, place)
  await reads(api, ana, id, 'confirmed')
  await eventually('both events are taken', async () => await worker.drained())
  t.equal(await ordersOf(ana.user_id), 1)
})

t.test('after an outcome nobody knows the repetition is the same order, booked once', needs('redis'), async (t) => {
  const bia = await newcomer(api)
  const proxy = await openProxy(t, place.env.DATABASE_URL!)
  const deaf = await startApi(t, place, { AMQP_URL: '', DATABASE_URL: proxy.url })
  proxy.mode = 'mute'
  isProblem(t, await placeOrder(deaf, bia, line, { 'idempotency-key': 'unknown' }), 503, 'outcome-unknown')
  proxy.cut()
  const { rows: [taken] } = await place.pool.query<{ order_id: string }>("select order_id from fallback_queue where event->'data'->>'user_id' = $1", [bia.user_id])
  t.ok(taken, 'it was taken')
  const again = await placeOrder(api, bia, line, { 'idempotency-key': 'unknown' })
  t.match([again.statusCode, again.json()], [202, { order_id: taken!.order_id }])
  await startWorker(t, place)
  await reads(api, bia, taken!.order_id, 'confirmed')
  await eventually('the fallback queue is empty', async () => (await place.pool.query('select from fallback_queue')).rowCount === 0)
  t.equal(await ordersOf(bia.user_id), 1)
})

t.test('with Postgres away another body under a used key is 422 still', needs('redis', 'rabbitmq'), async (t) => {
  const carla = await newcomer(api)
  const open = await shutDatabase(place)
  try {
    await eventually('the api knows', () => api.health.state('postgres') === 'down')
    const ask = async (order: object) => await placeOrder(api, carla, order, { 'idempotency-key': 'away' })
    t.equal((await ask(line)).statusCode, 202)
    isProblem(t, await ask({ ...line, item_quantity: 8 }), 422, 'key-reused')
  } finally {
    await open()
  }
})
