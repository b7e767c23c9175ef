import { connect } from 'amqplib'
import t from 'tap'
import type { App } from '../support/apps.js'
import { startApi, startWorker } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { line, newcomer, place as placeOrder, type Shown } from '../support/people.js'
import { needs, openPlace, shutDatabase } from '../support/place.js'
import { isProblem, pointersOf } from '../support/problems.js'

interface Problem { type: string, status: number, errors?: Array<{ pointer: string, detail: string }>, errors_omitted?: number }
interface Result { status: number, order?: Shown, location?: string, etag?: string, replayed?: boolean, problem?: Problem }

const place = await openPlace(t)
const api = await startApi(t, place)
const ana = await newcomer(api)
const ask = async (payload: unknown, app: App = api) => await app.inject({ method: 'POST', url: '/orders/batch', headers: { ...ana.headers, 'content-type': 'application/json' }, payload: JSON.stringify(payload) })
const batch = async (payload: object[], app: App = api): Promise<Result[]> => {
  const response = await ask(payload, app)
  if (response.statusCode !== 207) throw new Error(response.body)
  return response.json<{ items: Result[] }>().items
}
const many = (count: number) => Array.from({ length: count }, (_, index) => ({ ...line, item_description: `item ${index}` }))

t.test('500 orders leave in three messages, as few as their limit of 128 KiB allows', needs('rabbitmq'), async (t) => {
  await batch(many(500))
  const connection = await connect(place.env.AMQP_URL!)
  const { messageCount } = await (await connection.createChannel()).checkQueue('comanda.orders')
  await connection.close()
  t.equal(messageCount, 3)
})

t.test('each order of a batch is answered in its place as it would be alone, and booked', async (t) => {
  const results = await batch(many(300))
  t.equal(results.length, 300)
  for (const [index, { status, order, location, etag, replayed }] of results.entries()) {
    t.match([status, order, etag, replayed], [202, { item_description: `item ${index}`, total_value: 5970, status: 'accepted', version: 1, next_statuses: ['cancelled'] }, '"1a"', false])
    t.equal(location, `/orders/${order!.order_id}`)
  }
  t.equal(new Set(results.map(({ order }) => order!.order_id)).size, 300)
  await startWorker(t, place)
  const ids = results.map(({ order }) => order!.order_id)
  await eventually('all are booked', async () => (await place.pool.query('select 1 from orders where order_id = any($1)', [ids])).rowCount === 300)
})

t.test('a fault of one order never hides the others', async (t) => {
  const results = await batch([
    line, { ...line, item_quantity: 0, item_price: -1 }, { ...line, more: 1 }, null!, [] as object, line, { item_price: 1 }, { ...line, idempotency_key: '' }, { ...line, idempotency_key: 'a,b' }, line
  ])
  t.strictSame(results.map(({ status }) => status), [202, 400, 400, 400, 400, 202, 400, 400, 400, 202])
  const faults = results.map(({ problem }) => problem && pointersOf(problem as never))
  t.strictSame(faults, [undefined, ['#/1/item_price', '#/1/item_quantity'], ['#/2/more'], ['#/3'], ['#/4'], undefined, ['#/6/item_description', '#/6/item_quantity'], ['#/7/idempotency_key'], ['#/8/idempotency_key'], undefined])
  t.match(results[1], { problem: { type: 'urn:comanda:problem:validation-failed', status: 400, instance: '/orders/batch', request_id: /./ }, order: undefined })
})

t.test('a hundred faults are told over all orders of a batch, and for each how many more it has', async (t) => {
  const bad = { ...line, ...Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`more_${index}`, 1])) }
  const results = await batch([bad, line, bad, bad, { ...line, item_price: -1 }])
  t.strictSame(results.map(({ status }) => status), [400, 202, 400, 400, 400])
  const told = results.map(({ problem }) => problem && [problem.errors!.length, problem.errors_omitted])
  t.strictSame(told, [[40, undefined], undefined, [40, undefined], [20, 20], [0, 1]])
})

t.test('an order with more members than are looked at is refused as a whole, and hides no other', async (t) => {
  const flood = (count: number) => ({ ...line, ...Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, 0])) })
  const [one, other] = await batch([flood(30_000), line])
  t.match(one, { status: 400, problem: { errors: [{ pointer: '#/0', detail: 'must NOT have more than 50 members' }], errors_omitted: undefined } })
  t.equal(other!.status, 202)
  t.equal((await batch([flood(47)]))[0]!.problem!.errors!.length, 47, 'an honest slip is told in full')
})

t.test('the name of a member that a client made up is told as far as a reader needs it', async (t) => {
  const [result] = await batch([{ ...line, ['/'.repeat(100_000)]: 1, [`${'x'.repeat(63)}🌺🌺`]: 1 }])
  t.strictSame(result!.problem!.errors!.map(({ pointer }) => pointer), [`#/0/${'~1'.repeat(64)}…`, `#/0/${'x'.repeat(63)}…`])
})

for (const [where, env] of [['with Redis', {}], ['without Redis', { REDIS_URL: '' }]] as const) {
  t.test(`the same key twice in one batch is one order, ${where}`, where === 'with Redis' ? needs('redis') : {}, async (t) => {
    const app = await startApi(t, place, env)
    const keyed = { ...line, idempotency_key: `twice ${where}`.replaceAll(' ', '-') }
    const results = await batch([keyed, line, { ...keyed, item_quantity: 8 }, keyed], app)
    t.strictSame(results.map(({ status }) => status), [202, 202, 422, 202])
    t.match(results[2]!.problem, { type: 'urn:comanda:problem:key-reused' })
    t.strictSame(results[3]!.order, results[0]!.order)
    t.strictSame(results.map(({ replayed }) => replayed), [false, false, undefined, true])
  })
}

t.test('a key names the same order alone and in a batch', needs('redis'), async (t) => {
  const alone = (await placeOrder(api, ana, line, { 'idempotency-key': 'shared' })).json<Shown>()
  const [again, other] = await batch([{ ...line, idempotency_key: 'shared' }, { ...line, item_price: 7, idempotency_key: 'shared' }])
  t.match(again, { status: 202, order: alone, replayed: true })
  t.equal(other!.status, 422)
})

t.test('the body under a key that was used before is found behind a wrong one', needs('redis'), async (t) => {
  await placeOrder(api, ana, line, { 'idempotency-key': 'behind' })
  const results = await batch([{ ...line, item_price: 7, idempotency_key: 'behind' }, { ...line, idempotency_key: 'behind' }])
  t.strictSame(results.map(({ status }) => status), [422, 202])
})

t.test('a list that is none, empty or too long is 400, and nothing is placed', async (t) => {
  isProblem(t, await ask([]), 400, 'validation-failed', 'empty')
  t.strictSame(pointersOf(isProblem(t, await ask({ items: [line] }), 400, 'validation-failed', 'an object')), ['#'])
  const before = (await place.pool.query('select 1 from orders')).rowCount
  t.ok(pointersOf(isProblem(t, await ask([...many(500), { ...line, item_price: -1 }]), 400, 'validation-failed', '501')).includes('#'))
  t.equal((await place.pool.query('select 1 from orders')).rowCount, before)
  isProblem(t, await api.inject({ method: 'POST', url: '/orders/batch', headers: { ...ana.headers, 'content-type': 'application/json' }, payload: '[{' }), 400, 'bad-request')
  isProblem(t, await api.inject({ method: 'POST', url: '/orders/batch', payload: [line] }), 401, 'token-missing')
})

t.test('a batch may be larger than one order, up to 1 MiB', async (t) => {
  const large = many(500).map((one) => ({ ...one, item_description: 'é'.repeat(250) }))
  t.ok(JSON.stringify(large).length > 64 * 1024)
  t.ok((await batch(large)).every(({ status }) => status === 202))
  isProblem(t, await ask(large.map((one) => ({ ...one, item_description: 'é'.repeat(1200) }))), 413, 'payload-too-large')
})

t.test('with broker and Postgres away every order of the batch says that it was not taken', async (t) => {
  const local = await startApi(t, place, { AMQP_URL: '' })
  const open = await shutDatabase(place)
  await eventually('the api knows', () => local.health.state('postgres') === 'down')
  const results = await batch([line, { ...line, item_price: -1 }, line], local)
  t.strictSame(results.map(({ status }) => status), [503, 400, 503])
  t.match(results[0]!.problem, { type: 'urn:comanda:problem:not-accepted' })
  await open()
})
