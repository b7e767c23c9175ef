import t from 'tap'
import { ORDERS_QUEUE } from '../../src/broker/topology.js'
import { startApi } from '../support/apps.js'
import { openChannel } from '../support/broker.js'
import { contractFetch } from '../support/contract.js'
import { eventually } from '../support/eventually.js'
import { limitOf } from '../support/limits.js'
import { line, newcomer } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { portOf, runComanda } from '../support/processes.js'
import { openProxy } from '../support/proxy.js'
import { samplesOf, valueOf } from '../support/scrape.js'

const place = await openPlace(t)
const MANY = 60

t.test('SIGTERM while the broker keeps silent: what was asked is answered by the fallback queue, the api ends in time, every 202 is booked', needs('rabbitmq'), async (t) => {
  const ana = await newcomer(await startApi(t, place))
  const proxy = await openProxy(t, place.env.AMQP_URL!)
  const own = runComanda(t, ['api'], { ...place.env, AMQP_URL: proxy.url })
  const origin = `http://127.0.0.1:${portOf(await own.said('started'))}`
  const ask = await contractFetch(origin)
  await own.said('rabbitmq_up')
  await own.said('postgres_up')
  const channel = await openChannel(t, place.env.AMQP_URL!)
  proxy.mode = 'mute'
  const request = { method: 'POST', body: JSON.stringify(line), headers: { ...ana.headers, 'content-type': 'application/json' } }
  const answers = Promise.all(Array.from({ length: MANY }, async () => await ask('/orders', request)))
  await eventually('the first are in the queue', async () => (await channel.checkQueue(ORDERS_QUEUE)).messageCount)
  // One that is still on its way to the socket is no request that the api has.
  await eventually('all have reached the api', async () => {
    const samples = samplesOf(await (await fetch(`${origin}/metrics`)).text())
    return (valueOf(samples, 'comanda_publisher_held_events') ?? 0) + (valueOf(samples, 'comanda_order_events_accepted_total') ?? 0) >= MANY
  })
  const started = Date.now()
  own.child.kill('SIGTERM')
  t.strictSame((await answers).map(({ status }) => status), Array.from({ length: MANY }, () => 202))
  t.equal(await own.exited, 0)
  t.ok(Date.now() - started < limitOf(6000), `${Date.now() - started} ms`)
  await channel.purgeQueue(ORDERS_QUEUE) // what was never confirmed stands for nothing
  t.equal(await runComanda(t, ['worker', '--once'], place.env).exited, 0)
  t.equal((await place.pool.query('select from orders')).rowCount, MANY)
})
