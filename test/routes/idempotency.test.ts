import type { Response } from 'light-my-request'
import t from 'tap'
import { Mac } from '../../src/secrets/mac.js'
import { startApi, startWorker } from '../support/apps.js'
import { EVENT_KEY } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { ask, events, line, move, newcomer, newOperator, type Person, place as placeOrder, reads, type Shown } from '../support/people.js'
import { needs, openPlace, shutDatabase } from '../support/place.js'
import { isProblem } from '../support/problems.js'

const place = await openPlace(t)
const [api, other] = [await startApi(t, place, { TRUST_PROXY: '127.0.0.1' }), await startApi(t, place)]
await startWorker(t, place)
const ana = await newcomer(api)
const operator = await newOperator(api, place)
let keys = 0
const newKey = () => `key-${++keys}`
const withKey = async (key: string, order: object = line, app = api, person: Person = ana, more: Record<string, string> = {}) => await placeOrder(app, person, order, { 'idempotency-key': key, ...more })
const answerOf = ({ statusCode, headers, body }: Response) => ({ statusCode, body, etag: headers.etag, location: headers.location })
const isReplay = (response: Response) => response.headers['idempotency-replayed'] === 'true'
const keyOf = (id: string) => `${place.redisPrefix}key:${id}`
const rowsOf = async (id: string) => (await place.pool.query<{ item_quantity: number }>('select item_quantity from orders where order_id = $1', [id])).rows
const recorded = async (id: string) => (await place.pool.query<{ outcome: string, reason: string | null, request_id: string }>('select outcome, reason, request_id from order_events where order_id = $1 order by recorded_at', [id])).rows

t.test('the same key and body get the same answer again, in any process and whatever became of the order', needs('redis'), async (t) => {
  const key = newKey()
  const first = await withKey(key)
  t.notOk(isReplay(first))
  const { order_id: id } = first.json<Shown>()
  await reads(api, ana, id, 'confirmed')
  await ask(api, operator, move(id, 'paid'))
  for (const app of [api, other]) {
    const again = await withKey(key, Object.fromEntries(Object.entries(line).reverse()), app)
    t.strictSame(answerOf(again), answerOf(first))
    t.ok(isReplay(again))
  }
  t.match((await ask(api, ana, ['GET', id])).json(), { status: 'paid', version: 2 }, 'a replay shows nobody an older order')
  t.equal((await recorded(id)).filter(({ outcome }) => outcome === 'applied').length >= 1, true)
})

t.test('while the first is in flight the same answer is given, by another process too', needs('redis'), async (t) => {
  const key = newKey()
  const responses = await Promise.all([api, other, api, other, api, other].map(async (app) => await withKey(key, line, app)))
  t.equal(new Set(responses.map((response) => JSON.stringify(answerOf(response)))).size, 1)
  t.equal(responses.filter(isReplay).length, responses.length - 1, 'all but the first say so')
  const { order_id: id } = responses[0]!.json<Shown>()
  await reads(api, ana, id, 'confirmed')
  t.equal((await rowsOf(id)).length, 1)
})

t.test('another body under the key is 422 at once, and nothing is published', needs('redis'), async (t) => {
  const key = newKey()
  const { order_id: id } = (await withKey(key)).json<Shown>()
  for (const change of [{ item_quantity: 4 }, { item_price: 1 }, { item_description: 'x' }]) {
    isProblem(t, await withKey(key, { ...line, ...change }, other), 422, 'key-reused')
  }
  await reads(api, ana, id, 'confirmed')
  t.equal((await withKey(key)).statusCode, 202, 'the first body goes on being answered')
  t.match(await recorded(id), [{ outcome: 'applied' }])
})

t.test('after Redis lost its data the same order is named, and another body is recorded as rejected', needs('redis', 'rabbitmq'), async (t) => {
  const key = newKey()
  const { order_id: id } = (await withKey(key)).json<Shown>()
  await reads(api, ana, id, 'confirmed')
  await place.redis!.del(keyOf(id))
  const again = await withKey(key)
  t.match([again.statusCode, again.json()], [202, { order_id: id, version: 1 }])
  await place.redis!.del(keyOf(id))
  t.equal((await withKey(key, { ...line, item_quantity: 50 }, api, ana, { 'x-request-id': 'another-body' })).statusCode, 202)
  await eventually('the rival is recorded', async () => (await recorded(id)).length === 2)
  t.match((await recorded(id))[1], { outcome: 'rejected', reason: 'already_placed', request_id: 'another-body' })
  t.strictSame(await rowsOf(id), [{ item_quantity: line.item_quantity }])
  await reads(api, ana, id, 'confirmed')
  const timeline = (await ask(api, ana, events(id))).json<{ items: object[] }>().items
  t.match(timeline.find((entry) => 'reason' in entry), { outcome: 'rejected', reason: 'already_placed', request_id: 'another-body', order: { item_quantity: 50 } })
})

t.test('a key whose request ended without an answer is taken in again, as the same event', needs('redis'), async (t) => {
  const key = newKey()
  const first = await withKey(key)
  const { order_id: id } = first.json<Shown>()
  await reads(api, ana, id, 'confirmed')
  const value = await place.redis!.get(keyOf(id))
  t.match(value, / accepted \S+$/)
  const begun = value!.replace(/ accepted .*/, ' begun')
  await place.redis!.set(keyOf(id), `${begun} ${new Mac([EVENT_KEY], 'idempotency key').sign(`${id} ${begun}`)}`)
  const again = await withKey(key, line, other)
  t.strictSame(answerOf(again), answerOf(first))
  t.equal(await place.redis!.get(keyOf(id)), value, 'and is answered from now on')
})

t.test('a key is remembered for a day', needs('redis'), async (t) => {
  const { order_id: id } = (await withKey(newKey())).json<Shown>()
  const left = await place.redis!.pttl(keyOf(id))
  t.ok(left > 86_390_000 && left <= 86_400_000, String(left))
})

t.test('a definite refusal frees the key', needs('redis'), async (t) => {
  const local = await startApi(t, place, { AMQP_URL: '' })
  const key = newKey()
  const open = await shutDatabase(place)
  await eventually('the api knows', () => local.health.state('postgres') === 'down')
  isProblem(t, await withKey(key, line, local), 503, 'not-accepted')
  await open()
  const taken = await eventually('another body is taken', async () => {
    const response = await withKey(key, { ...line, item_quantity: 8 }, local)
    return response.statusCode !== 503 && response
  })
  t.match([taken.statusCode, taken.json()], [202, { item_quantity: 8 }])
})

t.test('a key is its user\'s own', async (t) => {
  const bia = await newcomer(api)
  const key = newKey()
  const [hers, his] = [await withKey(key), await withKey(key, { ...line, item_quantity: 2 }, api, bia)]
  t.strictSame([hers.statusCode, his.statusCode], [202, 202])
  t.not(hers.json<Shown>().order_id, his.json<Shown>().order_id)
})

t.test('without Redis one key is one order, and another body never a second', async (t) => {
  const alone = await startApi(t, place, { REDIS_URL: '' })
  const key = newKey()
  const responses = await Promise.all([line, line, { ...line, item_quantity: 9 }].map(async (order) => await withKey(key, order, alone)))
  const ids = new Set(responses.map((response) => response.json<Shown>().order_id))
  t.equal(ids.size, 1)
  const [id] = [...ids]
  await eventually('both bodies are recorded', async () => (await recorded(id!)).length === 2)
  t.strictSame((await recorded(id!)).map(({ outcome }) => outcome).sort(), ['applied', 'rejected'])
  t.equal((await rowsOf(id!)).length, 1)
})
