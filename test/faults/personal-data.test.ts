import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startPostgres } from '../../local/postgres.js'
import { DEAD_QUEUE, ORDERS_QUEUE } from '../../src/broker/topology.js'
import { startApi, startWorker } from '../support/apps.js'
import { openChannel, publishRaw } from '../support/broker.js'
import { enqueueFallback, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { freshFolder } from '../support/folders.js'
import { amend, ask, line, newcomer, place as placeOrder, reads, registration, type Shown } from '../support/people.js'
import { needs, openPlace, openPool, type Place } from '../support/place.js'

/** A server of this test's own, whose log can be read wherever the tests run; it says as much as Postgres does by default. */
const stateDir = freshFolder(t)
const server = await startPostgres({ stateDir, env: process.env, durable: false })
t.teardown(async () => await server.stop())
const serverLog = () => readFileSync(join(stateDir, 'log'), 'utf8').split('\n')

const elsewhere = await openPlace(t)
const env = { ...elsewhere.env, DATABASE_URL: server.url }
const place: Place = { ...elsewhere, env, pool: openPool(t, { ...elsewhere, env }) }

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

  await api.inject({ method: 'PATCH', url: '/users/me', headers: ana.headers, payload: { email, password: ana.password } })
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
  await api.inject({ method: 'DELETE', url: '/users/me', headers: ana.headers, payload: { password: ana.password } })
  isClean('orders', await rowsOf('orders'))
  isClean('their events', await rowsOf('order_events'))
  isClean('the parking lot', await parkedBytes())
  isClean('Redis, once all is booked', await redisValues())
  t.equal((await channel.checkQueue(DEAD_QUEUE)).messageCount, 0)
  for (const app of [api, alone, worker]) isClean('a log', app.lines.map((one) => JSON.stringify(one)))
})

t.test('no statement fails by a personal value: the log of Postgres holds none', async (t) => {
  const api = await startApi(t, place, { AMQP_URL: '', REDIS_URL: '' })
  const [one, other] = [registration(), registration()]
  const [ana, bia] = [await newcomer(api, one), await newcomer(api, other)]
  const before = serverLog().length
  const register = async (given: object) => await api.inject({ method: 'POST', url: '/users', payload: { ...registration(), ...given } })
  const change = async (change: object) => await api.inject({ method: 'PATCH', url: '/users/me', headers: bia.headers, payload: { ...change, password: other.password } })
  const { nick_name, cpf } = one
  const wanted = registration() // by several at once, who cannot all have it
  const taken = [register(one), register({ nick_name }), register({ cpf }), change({ nick_name }), change({ cpf }), change({ nick_name, cpf })]
  const race = [register(wanted), register(wanted), change({ cpf: wanted.cpf }), register({ cpf: wanted.cpf }), register({ nick_name: wanted.nick_name }), change({ nick_name: wanted.nick_name })]
  t.strictSame((await Promise.all(taken)).map(({ statusCode }) => statusCode), taken.map(() => 409))
  const statuses = (await Promise.all(race)).map(({ statusCode }) => statusCode)
  t.ok(statuses.includes(409) && statuses.some((status) => status < 300), statuses.join())
  await api.inject({ method: 'DELETE', url: '/users/me', headers: ana.headers })
  t.equal((await register({ nick_name })).statusCode, 409)

  const description = `for ${one.full_name} `
  const worker = await startWorker(t, place, { AMQP_URL: '', REDIS_URL: '' })
  const tooLong = placement(bia.user_id)
  tooLong.order.item_description = description.repeat(20)
  const foreign = placement(2147483647)
  foreign.order.item_description = description
  await enqueueFallback(place.pool, [tooLong, foreign])
  await eventually('both are parked', async () => (await place.pool.query('select from parked_events where raw like $1', ['%for Ana%'])).rowCount === 2)
  await worker.close()
  // What fails all the same (the two above) is told, so the log is there to be searched.
  const log = serverLog().slice(before)
  t.ok(log.some((text) => text.includes('ERROR')), 'there is something to search')
  const canaries = [one, other, wanted].flatMap((person) => Object.values(person)).concat(description.trim())
  t.strictSame(log.filter((text) => canaries.some((canary) => text.includes(canary))), [])
  t.notOk(log.some((text) => text.includes('Failing row') || text.includes('users_')), log.filter((text) => text.includes('users_')).join())
})
