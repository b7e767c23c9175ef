import t from 'tap'
import { isUp, startApi, startWorker } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { newcomer, place as placeOrder } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { openProxy } from '../support/proxy.js'

const place = await openPlace(t)

/** What this process holds open, by kind. */
function held (): Record<string, number> {
  const kinds: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) kinds[kind] = (kinds[kind] ?? 0) + 1
  return kinds
}

t.test('a broker that comes and goes leaves no connection, channel or timer behind, and every order is booked', needs('redis', 'rabbitmq'), async (t) => {
  const proxy = await openProxy(t, place.env.AMQP_URL!)
  const env = { AMQP_URL: proxy.url }
  const [api, worker] = [await startApi(t, place, env), await startWorker(t, place, env)]
  const person = await newcomer(api)
  const flap = async (times: number) => {
    for (let time = 0; time < times; time++) {
      proxy.cut()
      for (const app of [api, worker]) await eventually('it knows', () => app.health.state('rabbitmq') === 'down')
      t.equal((await placeOrder(api, person)).statusCode, 202)
      for (const app of [api, worker]) await isUp(app, 'rabbitmq')
    }
  }
  // A pool of Postgres opens one more when two ask at a time, and closes it half a minute later.
  const sockets = () => (held().TCPSocketWrap ?? 0) - [api, worker].reduce((sum, app) => sum + app.pg.pool.totalCount + app.reservedPool.totalCount, 0)
  await flap(3) // what is opened once is open now
  const socketsBefore = sockets()
  const before = held()
  await flap(20)
  await eventually('no more sockets than before', () => sockets() <= socketsBefore)
  await eventually('no more timers than before', () => (held().Timeout ?? 0) <= (before.Timeout ?? 0) + 2)
  await eventually('all are booked', async () => (await place.pool.query('select from orders')).rowCount === 23)
  await eventually('all is drained', async () => await worker.drained())
})
