import t from 'tap'
import { DEAD_QUEUE, ORDERS_QUEUE } from '../../src/broker/topology.js'
import { startApi, startWorker } from '../support/apps.js'
import { openChannel, publishRaw } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { amend, ask, line, newcomer, place as placeOrder, reads, registration, type Shown } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'

const place = await openPlace(t)

/** Every value under the place's prefix, of whatever type. */
async function redisValues (): Promise<string[]> {
  const redis = place.redis!
  const keys = await redis.keys(`${place.redisPrefix}*`)
  const values = await Promise.all(keys.map(async (key) => await redis.type(key) === 'zset' ? (await redis.zrange(key, '0', '-1')).join() : await redis.get(key) ?? ''))
  return keys.map((key, index) => `${key} ${values[index]}`)
}

async function rowsOf (table: string): Promise<string[]> {
  const { rows } = await place.pool.query<{ text: string }>(`select one::text as text from ${table} one`)
  return rows.map(({ text }) => text)
}

async function parkedBytes (): Promise<string[]> {
  const { rows } = await place.pool.query<{ headers: object, raw: Buffer }>('select headers, raw from parked_events')
  return rows.map(({ headers, raw }) => JSON.stringify(headers) + raw.toString())
}

t.test('what is personal lies in the table of users and nowhere else', needs('redis', 'rabbitmq'), async (t) => {
  const person = registration()
  const api = await startApi(t, place)
  const ana = await newcomer(api, person)
  const email = `second.${person.email}`.slice(-50)
  const canaries = [person.cpf, person.email, email, person.phone_number, person.full_name, person.password, person.nick_name, ana.headers.authorization.slice('Bearer '.length), '$argon2id$']
  const found = (texts: string[]) => texts.filter((text) => canaries.some((canary) => text.includes(canary)))
  const isClean = (name: string, texts: string[]) => {
    t.ok(texts.length > 0, `${name}: there is something to search`)
    t.strictSame(found(texts), [], name)
  }
  t.ok(found(await rowsOf('users')).length > 0, 'where it belongs it is found')

  await api.inject({ method: 'PATCH', url: '/users/me', headers: ana.headers, payload: { email } })
  const { order_id: id } = (await placeOrder(api, ana, line, { 'idempotency-key': 'canary' })).json<Shown>()
  await ask(api, ana, amend(id, { item_quantity: 9 }))
  await api.inject({ method: 'POST', url: '/orders/batch', headers: ana.headers, payload: [line, { ...line, idempotency_key: 'batched' }] })
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const messages = await eventually('three messages are ready', async () => {
    const { messageCount } = await channel.checkQueue(ORDERS_QUEUE)
    return messageCount === 3 && await Promise.all([1, 2, 3].map(async () => await channel.get(ORDERS_QUEUE)))
  })
  const texts = messages.map((message) => message ? JSON.stringify(message.properties) + message.content.toString() : '')
  isClean('messages of the broker', texts)
  isClean('Redis, what is pending', await redisValues())
  const [last] = messages
  if (last) await publishRaw(channel, last.content.subarray(0, -1))
  channel.nackAll()

  const alone = await startApi(t, place, { AMQP_URL: '' })
  await placeOrder(alone, ana)
  isClean('the fallback queue', await rowsOf('fallback_queue'))
  const worker = await startWorker(t, place)
  await reads(api, ana, id, 'confirmed', 2)
  await eventually('all is booked', async () => await worker.drained())
  await api.inject({ method: 'DELETE', url: '/users/me', headers: ana.headers })
  isClean('orders', await rowsOf('orders'))
  isClean('their events', await rowsOf('order_events'))
  isClean('the parking lot', await parkedBytes())
  isClean('Redis, once all is booked', await redisValues())
  t.equal((await channel.checkQueue(DEAD_QUEUE)).messageCount, 0)
  for (const app of [api, alone, worker]) isClean('a log', app.lines.map((one) => JSON.stringify(one)))
})
