import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { findRedis, startRedis } from '../../local/redis.js'
import type { Running } from '../../local/service.js'
import { acceptedView, type OrderView, persistedView } from '../../src/orders/view.js'
import { type App, isUp, startApi, startWorker } from '../support/apps.js'
import { amendment, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { freshFolder } from '../support/folders.js'
import { limitOf } from '../support/limits.js'
import { amend, ask, booked, line, newcomer, place as placeOrder, reads, type Shown } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { isProblem } from '../support/problems.js'
import { openProxy } from '../support/proxy.js'

const place = await openPlace(t)
const REDIS_TIMEOUT_MS = '100'
const real = { skip: findRedis(process.env) === null && 'no redis-server on this machine' }
const key = (id: string) => `${place.redisPrefix}order:${id}`

/** A Redis of the test's own: it may be killed, stopped and filled. */
async function ownRedis (t: Test): Promise<{ redis: Running, client: Redis, env: Record<string, string> }> {
  const stateDir = freshFolder(t)
  const redis = await startRedis({ stateDir, env: process.env, durable: false })
  const client = new Redis(redis.url, { retryStrategy: () => 50 })
  client.on('error', () => {}) // it is killed on purpose
  await client.set(`${place.redisPrefix}views:since`, 0) // it has been there for long
  t.teardown(async () => {
    client.disconnect()
    await redis.stop()
  })
  return { redis, client, env: { REDIS_URL: redis.url, REDIS_TIMEOUT_MS } }
}

async function timed<T> (work: () => Promise<T>): Promise<[T, number]> {
  const started = performance.now()
  return [await work(), performance.now() - started]
}

t.test('with Redis killed orders are placed, booked, changed and read, and no request waits for it', real, async (t) => {
  const { redis, env } = await ownRedis(t)
  const [api] = [await startApi(t, place, env), await startWorker(t, place, env)]
  const ana = await newcomer(api)
  await redis.kill('SIGKILL')
  for (let round = 0; round < 10; round++) {
    const [response, took] = await timed(async () => await placeOrder(api, ana, line, { 'idempotency-key': `killed-${round}` }))
    t.equal(response.statusCode, 202)
    t.ok(took < limitOf(1500), `${Math.round(took)} ms`)
  }
  const { order_id: id } = await booked(api, ana)
  t.equal((await ask(api, ana, amend(id, { item_quantity: 9 }))).statusCode, 202)
  t.equal((await reads(api, ana, id, 'confirmed', 2)).item_quantity, 9)
})

t.test('a Redis that falls silent costs the first few requests its time limit, the others nothing, and is used again once it speaks', real, async (t) => {
  const { redis, client, env } = await ownRedis(t)
  const api = await startApi(t, place, env)
  const ana = await newcomer(api)
  await placeOrder(api, ana)
  await redis.kill('SIGSTOP')
  const times: number[] = []
  for (let round = 0; round < 20; round++) {
    const [response, took] = await timed(async () => await placeOrder(api, ana, line, { 'idempotency-key': `silent-${round}` }))
    t.equal(response.statusCode, 202)
    times.push(took)
  }
  const median = times.slice(-10).sort((a, b) => a - b)[5]!
  t.ok(median < limitOf(60), `the last ten: ${Math.round(median)} ms; all: ${times.map(Math.round).join(' ')}`)
  await redis.kill('SIGCONT')
  await eventually('a view of an order is written again', async () => await client.exists(key((await placeOrder(api, ana)).json<Shown>().order_id)))
})

t.test('a Redis that is full goes on serving what it holds, and orders are placed and booked without it', real, async (t) => {
  const { client, env } = await ownRedis(t)
  const [api] = [await startApi(t, place, env), await startWorker(t, place, env)]
  const ana = await newcomer(api)
  const { order_id: held } = await booked(api, ana)
  await eventually('its persisted view is there', async () => (await client.get(key(held)))?.startsWith('000000000003 '))
  await place.pool.query("update orders set item_description = 'the row' where order_id = $1", [held])
  await client.config('SET', 'maxmemory-policy', 'noeviction')
  await client.config('SET', 'maxmemory', '1')
  await t.rejects(client.set('more', '1'), /OOM/)
  t.match((await ask(api, ana, ['GET', held])).json(), line, 'the view, not the row')
  const refused = await placeOrder(api, ana, line, { 'idempotency-key': 'full' })
  t.equal(refused.statusCode, 202)
  const { order_id: id } = refused.json<Shown>()
  await reads(api, ana, id, 'confirmed')
  t.equal(await client.exists(key(id)), 0, 'what is read is the row')
})

t.test('an order in the queue whose view a full or silent Redis did not take is seen by the api that took it, and never unknown to another', real.skip ? real : needs('rabbitmq'), async (t) => {
  const { redis, client, env } = await ownRedis(t)
  const [api, other] = [await startApi(t, place, env), await startApi(t, place, env)]
  const ana = await newcomer(api)
  const placeAndRead = async (when: string) => {
    const placed = await placeOrder(api, ana)
    t.equal(placed.statusCode, 202, when)
    const { order_id: id } = placed.json<Shown>()
    t.match((await ask(api, ana, ['GET', id])).json(), { order_id: id, status: 'accepted' }, when)
    return id
  }
  await client.config('SET', 'maxmemory', '1')
  await placeAndRead('full')
  await redis.kill('SIGSTOP')
  for (let round = 0; round < 8; round++) isProblem(t, await ask(other, ana, ['GET', await placeAndRead('silent')]), 404, 'order-not-visible-yet', 'silent')
})

t.test('a view that Redis took though its answer was lost undoes no newer one', real, async (t) => {
  const { redis, client, env } = await ownRedis(t)
  const proxy = await openProxy(t, redis.url)
  const [deaf, other] = [await startApi(t, place, { ...env, AMQP_URL: '', REDIS_URL: proxy.url }), await startApi(t, place, { ...env, AMQP_URL: '' })]
  const [placed, alone] = [placement(1), placement(1)]
  const newer: OrderView = persistedView(amendment(placed))
  await other.views!.put([{ view: newer }])
  proxy.mode = 'mute'
  t.equal(await deaf.views!.put([placed, alone].map((event) => ({ view: acceptedView(event) }))), false)
  t.strictSame((await other.views!.get(alone.order.order_id)).view, acceptedView(alone), 'it landed')
  t.strictSame((await other.views!.get(placed.order.order_id)).view, newer)
  t.equal(await client.exists(key(placed.order.order_id)), 1)
})

t.test('a Redis that comes back with an old snapshot shows nobody an older order', real, async (t) => {
  const { redis, client, env } = await ownRedis(t)
  const [api] = [await startApi(t, place, env), await startWorker(t, place, env)]
  const ana = await newcomer(api)
  const { order_id: id } = await booked(api, ana)
  await eventually('its persisted view is there', async () => (await client.get(key(id)))?.startsWith('000000000003 '))
  await client.save()
  await redis.kill('SIGKILL')
  t.equal((await ask(api, ana, amend(id, { item_quantity: 9 }))).statusCode, 202)
  await reads(api, ana, id, 'confirmed', 2)
  const again = await startRedis({ stateDir: redis.stateDir, env: process.env, durable: false, port: redis.port })
  t.teardown(async () => await again.stop())
  await isUp(api, 'redis')
  const late = await startApi(t, place, env)
  t.match((await ask(api, ana, ['GET', id])).json(), { version: 2, item_quantity: 9 })
  t.match((await ask(late, ana, ['GET', id])).json(), { version: 2, item_quantity: 9 }, 'nor in a process that started later')
})

t.test('with Redis killed guessing a password stays limited', real, async (t) => {
  const { redis, env } = await ownRedis(t)
  const api = await startApi(t, place, { ...env, AMQP_URL: '', LOGIN_LIMIT: '3' })
  const guess = async (app: App) => await app.inject({ method: 'POST', url: '/auth/token', payload: { nick_name: 'nobody', password: 'a wrong guess' } })
  await redis.kill('SIGKILL')
  t.strictSame([await guess(api), await guess(api), await guess(api)].map(({ statusCode }) => statusCode), [401, 401, 401])
  isProblem(t, await guess(api), 429, 'too-many-requests')
})
