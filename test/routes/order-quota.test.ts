import type { Response } from 'light-my-request'
import t from 'tap'
import { type App, startApi } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { amend, ask, cancel, line, newcomer, type Person, place as placeOrder } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { isProblem } from '../support/problems.js'

const place = await openPlace(t)
const env = { AMQP_URL: '', ORDERS_PER_MINUTE: '20' }
const api = await startApi(t, place, env)

const batch = async (app: App, { headers }: Person, orders: unknown, more: object = {}) => await app.inject({ method: 'POST', url: '/orders/batch', headers: { ...headers, 'content-type': 'application/json' }, payload: Array.isArray(orders) ? JSON.stringify(orders) : orders as string, ...more })
const lines = (many: number, given: object = line) => Array.from({ length: many }, () => given)
const placedBy = async ({ user_id }: Person) => (await place.pool.query("select from fallback_queue where event -> 'data' ->> 'user_id' = $1", [String(user_id)])).rowCount
const quotaOf = ({ headers }: Response) => [headers['ratelimit-policy'], headers.ratelimit]

t.test('a flood of batches is refused at the bound, whole and before anything is placed', async (t) => {
  const [ana, bia] = [await newcomer(api), await newcomer(api)]
  const first = await batch(api, ana, lines(15))
  t.equal(first.statusCode, 207)
  t.strictSame(quotaOf(first), ['"orders";q=20;w=60', '"orders";r=5;t=45'])
  const refused = await batch(api, ana, lines(6))
  isProblem(t, refused, 429, 'too-many-orders')
  t.equal(await placedBy(ana), 15, 'nothing of it')
  t.match(quotaOf(refused), ['"orders";q=20;w=60', /^"orders";r=5;t=[1-3]$/])
  t.equal(quotaOf(refused)[1], `"orders";r=5;t=${refused.headers['retry-after']}`)
  t.equal((await batch(api, ana, lines(5))).statusCode, 207, 'what is left is granted')
  isProblem(t, await placeOrder(api, ana), 429, 'too-many-orders')
  t.equal((await placeOrder(api, bia)).statusCode, 202, 'another user places on')
  t.equal(await placedBy(ana), 20)
})

t.test('orders alone, amended and cancelled count too, each as one; reading does not', async (t) => {
  const ana = await newcomer(api)
  const { order_id } = (await placeOrder(api, ana)).json<{ order_id: string }>()
  for (let more = 0; more < 10; more++) t.equal((await ask(api, ana, amend(order_id, { item_quantity: more + 4 }))).statusCode, 202)
  for (let more = 0; more < 9; more++) t.equal((await placeOrder(api, ana)).statusCode, 202)
  for (const asked of [cancel(order_id), amend(order_id, { item_quantity: 1 })]) {
    const response = await ask(api, ana, asked)
    isProblem(t, response, 429, 'too-many-orders')
    t.match(response.headers['retry-after'], /^[1-3]$/)
  }
  t.equal((await api.inject({ url: '/orders', headers: ana.headers })).statusCode, 200)
})

t.test('what is faulty or repeated counts like any other order: it costs the same work', async (t) => {
  const ana = await newcomer(api)
  const key = { 'idempotency-key': 'the-same' }
  for (let again = 0; again < 3; again++) t.equal((await placeOrder(api, ana, line, key)).statusCode, 202)
  isProblem(t, await placeOrder(api, ana, { ...line, item_quantity: 0 }), 400, 'validation-failed')
  t.equal((await batch(api, ana, lines(15, { ...line, item_quantity: 0 }))).statusCode, 207)
  t.match((await placeOrder(api, ana)).headers.ratelimit, /;r=0;/)
  isProblem(t, await placeOrder(api, ana), 429, 'too-many-orders')
})

t.test('a body that is no list, or a list beyond any bound, costs no more than the longest batch', async (t) => {
  const generous = await startApi(t, place, { ...env, REDIS_URL: '', ORDERS_PER_MINUTE: '1000' })
  const ana = await newcomer(generous)
  for (const [body, least] of [['[]', 998], ['{}', 997], [JSON.stringify(Array(5000).fill(0)), 497]] as const) {
    const response = await batch(generous, ana, body)
    t.equal(response.statusCode, 400)
    const left = Number(/^"orders";r=(\d+);/.exec(String(response.headers.ratelimit))?.[1])
    t.ok(left >= least && left < 1000, `${left} left`) // some are given back meanwhile
  }
})

t.test('a body that cannot be read costs one order, also as a batch', async (t) => {
  const ana = await newcomer(api)
  for (let more = 0; more < 20; more++) t.equal((await batch(api, ana, '[{')).statusCode, 400)
  isProblem(t, await batch(api, ana, '[{'), 429, 'too-many-orders')
})

t.test('a refusal comes before the body is read, and 401 before the quota', async (t) => {
  const ana = await newcomer(api)
  t.equal((await batch(api, ana, lines(20))).statusCode, 207)
  for (const url of ['/orders', '/orders/batch']) {
    isProblem(t, await api.inject({ method: 'POST', url, headers: { ...ana.headers, 'content-type': 'application/json' }, payload: '{' }), 429, 'too-many-orders')
  }
  const anonymous = await api.inject({ method: 'POST', url: '/orders', payload: line })
  isProblem(t, anonymous, 401, 'token-missing')
  t.equal(anonymous.headers.ratelimit, undefined)
})

t.test('what one api counted another knows about a second later', needs('redis'), async (t) => {
  const other = await startApi(t, place, env)
  const ana = await newcomer(api)
  t.equal((await batch(api, ana, lines(20))).statusCode, 207)
  await eventually('it is told', async () => await place.redis!.exists(`${place.redisPrefix}orders-used:${ana.user_id}`))
  t.equal((await placeOrder(other, ana)).statusCode, 202, 'it has not asked yet')
  await eventually('it learns', async () => (await placeOrder(other, ana)).statusCode === 429)
  t.ok(await place.redis!.pttl(`${place.redisPrefix}orders-used:${ana.user_id}`) > 0, 'what Redis holds expires')
  t.ok(await placedBy(ana) as number <= 40)
})

t.test('with Redis away each api counts for itself', async (t) => {
  const alone = await startApi(t, place, { ...env, REDIS_URL: '' })
  const ana = await newcomer(alone)
  t.equal((await batch(alone, ana, lines(20))).statusCode, 207)
  isProblem(t, await placeOrder(alone, ana), 429, 'too-many-orders')
})

t.test('with 0 nothing is counted and no field speaks of it', async (t) => {
  const unbounded = await startApi(t, place, { AMQP_URL: '', ORDERS_PER_MINUTE: '0' })
  const ana = await newcomer(unbounded)
  for (let more = 0; more < 3; more++) {
    const response = await batch(unbounded, ana, lines(500))
    t.equal(response.statusCode, 207)
    t.strictSame(quotaOf(response), [undefined, undefined])
  }
})
