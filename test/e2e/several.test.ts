import t, { type Test } from 'tap'
import { EVENTS_EXCHANGE } from '../../src/broker/topology.js'
import { type App, isUp, startApi, startRelay, startWorker } from '../support/apps.js'
import { openChannel } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { newcomer, type Person, place as placeOrder } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { scrape, valueOf } from '../support/scrape.js'

const ORDERS = 2000
const AT_ONCE = 16

async function several<One> (count: number, start: () => Promise<One>): Promise<One[]> {
  const started: One[] = []
  for (let index = 0; index < count; index++) started.push(await start())
  return started
}

/** So many at a time, each by the api whose turn it is. @returns the ids */
async function placeMany (t: Test, apis: readonly App[], person: Person): Promise<string[]> {
  const ids: string[] = []
  let begun = 0
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (begun < ORDERS) {
      const answer = await placeOrder(apis[begun++ % apis.length]!, person)
      if (answer.statusCode === 202) ids.push(answer.json<{ order_id: string }>().order_id)
      else t.fail(answer.body)
    }
  }))
  return ids
}

t.test('two apis, four workers and two relays share the work: no row twice, nothing told twice, none left out', { ...needs('redis', 'rabbitmq') }, async (t) => {
  const place = await openPlace(t)
  const env = { METRICS: 'on', ORDERS_PER_MINUTE: '0' }
  const apis = await several(2, async () => await startApi(t, place, env))
  const workers = await several(4, async () => await startWorker(t, place, env))
  await several(2, async () => await startRelay(t, place, env))
  for (const app of [...apis, ...workers]) await isUp(app, 'rabbitmq')
  const told: string[] = []
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const { queue } = await channel.assertQueue('', { exclusive: true })
  await channel.bindQueue(queue, EVENTS_EXCHANGE, '#')
  await channel.consume(queue, (message) => { told.push((JSON.parse(message!.content.toString()) as { subject: string }).subject) }, { noAck: true })

  const ids = await placeMany(t, apis, await newcomer(apis[0]!))
  t.equal(new Set(ids).size, ORDERS)
  const counted = async (table: string) => (await place.pool.query<{ n: number }>(`select count(*)::int as n from ${table}`)).rows[0]!.n
  await eventually('all are booked', async () => await counted('orders') === ORDERS)
  t.equal(await counted('order_events'), ORDERS)
  await eventually('all are told', () => told.length >= ORDERS)
  t.equal(told.length, ORDERS)
  t.strictSame(new Set(told), new Set(ids))

  const booked = await Promise.all(workers.map(async (worker) => valueOf(await scrape(worker), 'comanda_order_events_booked_total', { outcome: 'applied' })!))
  t.equal(booked.reduce((sum, count) => sum + count), ORDERS, 'the workers\' counts are the rows')
  for (const share of booked) t.ok(share > ORDERS / 4 / 2 && share < ORDERS / 4 * 2, `shares of the workers: ${booked.join(', ')}`)
})
