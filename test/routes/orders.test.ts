import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Response } from 'light-my-request'
import t from 'tap'
import { startApi, startWorker } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { line, newcomer, newOperator, type Person, place as placeOrder } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'

interface Shown { order_id: string, status: string, item_description: string, next_statuses: string[] }

const place = await openPlace(t)
/** Whose clients' request ids are its own. */
const api = await startApi(t, place, { TRUST_PROXY: '127.0.0.1' })
const ana = await newcomer(api)
const bia = await newcomer(api)
const operator = await newOperator(api, place)

const read = async (id: string, { headers }: Person, app = api) => await app.inject({ url: `/orders/${id}`, headers })
const isHidden = (response: Response) => response.statusCode === 404 && response.json<{ type: string }>().type === 'urn:comanda:problem:order-not-found'
const confirmedRead = async (id: string, person: Person, app = api) => await eventually('confirmed', async () => {
  const response = await read(id, person, app)
  return response.json<Shown>().status === 'confirmed' && response
})
const key = (id: string) => `${place.redisPrefix}order:${id}`
const persistedInCache = async (id: string) => await eventually('its persisted view is cached', async () =>
  (await place.redis!.get(key(id)))?.startsWith('000000000003 '))

/** From within a test: tap ends a file whose tests are through while it still awaits at the top. */
const startBooking = async () => await startWorker(t, place)

// Without a worker yet: pending stays pending.
const pending = (await placeOrder(api, ana)).json<Shown>()

t.test('an order still pending is its owner\'s and the operators\' alone', async (t) => {
  t.match((await read(pending.order_id, ana)).json(), { status: 'accepted' })
  t.match((await read(pending.order_id, operator)).json(), { status: 'accepted', user_id: ana.user_id })
  t.ok(isHidden(await read(pending.order_id, bia)))
  t.match((await read(pending.order_id.toUpperCase(), ana)).json(), { order_id: pending.order_id }, 'a UUID in capitals is the same UUID')
})

t.test('an order in the fallback queue is read without Redis and without RabbitMQ, by the same people', async (t) => {
  const alone = await startApi(t, place, { REDIS_URL: '', AMQP_URL: '' })
  const { order_id: id } = (await placeOrder(alone, ana)).json<Shown>()
  const response = await read(id, ana, alone)
  t.equal(response.headers.etag, '"1a"')
  t.match(response.json(), { order_id: id, status: 'accepted', total_value: 5970 })
  t.ok(isHidden(await read(id, bia, alone)))
  t.equal((await read(id, operator, alone)).statusCode, 200)
  t.ok(isHidden(await read(randomUUID(), ana, alone)), 'nothing can be hidden in a broker that is not used')
})

t.test('a placed order is answered 202 with its view, its place and its tag', async (t) => {
  await startBooking()
  const before = Date.now()
  const response = await placeOrder(api, ana)
  t.equal(response.statusCode, 202)
  const order = response.json<Record<string, unknown>>()
  t.equal(response.headers.location, `/orders/${order.order_id as string}`)
  t.equal(response.headers.etag, '"1a"')
  t.match(response.headers['content-type'], 'application/json')
  const created = order.created_at as string
  t.strictSame(order, { order_id: order.order_id, user_id: ana.user_id, ...line, total_value: 5970, status: 'accepted', version: 1, created_at: created, updated_at: created, next_statuses: ['cancelled'] })
  t.match(order.order_id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'UUIDv7')
  t.ok(Date.parse(created) >= before && Date.parse(created) <= Date.now())
})

t.test('an order is readable at once and confirmed within a second', async (t) => {
  const { order_id: id } = (await placeOrder(api, ana)).json<Shown>()
  const first = await read(id, ana)
  t.equal(first.statusCode, 200)
  t.ok(['accepted', 'confirmed'].includes(first.json<Shown>().status))
  const response = await confirmedRead(id, ana)
  t.equal(response.headers.etag, '"1"')
  t.match(response.json(), { ...line, order_id: id, version: 1, total_value: 5970, next_statuses: ['cancelled'] })
  t.strictSame((await confirmedRead(id, operator)).json<Shown>().next_statuses, ['paid', 'cancelled'])
})

t.test('a confirmed order is a row with its total and an applied event of its HTTP request', async (t) => {
  const response = await placeOrder(api, ana, { item_description: 'a', item_quantity: 1_000_000, item_price: 100_000_000 }, { 'x-request-id': 'trace-me.1:2' })
  const { order_id: id, created_at: created } = response.json<Shown & { created_at: string }>()
  await confirmedRead(id, ana)
  const { rows } = await place.pool.query('select user_id, item_quantity, total_value::text as total, status, version, event_id, created_at from orders where order_id = $1', [id])
  t.match(rows, [{ user_id: ana.user_id, item_quantity: 1_000_000, total: '100000000000000', status: 'confirmed', version: 1, created_at: new Date(created) }])
  const events = await place.pool.query('select event_id, version, base, type, request_id, outcome, occurred_at from order_events where order_id = $1', [id])
  t.match(events.rows, [{ event_id: rows[0].event_id, version: 1, base: null, type: 'order.placed', request_id: 'trace-me.1:2', outcome: 'applied', occurred_at: new Date(created) }])
})

t.test('what was pending is confirmed once a worker is there, from the queue and from the fallback queue', async (t) => {
  t.equal((await confirmedRead(pending.order_id, ana)).headers.etag, '"1"')
  await eventually('the fallback queue is empty', async () => (await place.pool.query('select 1 from fallback_queue')).rowCount === 0)
})

t.test('a stored order is its owner\'s and the operators\' alone, cached or not, by GET and by HEAD', async (t) => {
  const { order_id: id } = (await placeOrder(api, ana)).json<Shown>()
  await confirmedRead(id, ana)
  if (place.redis) await persistedInCache(id)
  for (const where of ['cached', 'only stored']) {
    if (where === 'only stored') await place.redis?.del(key(id))
    t.ok(isHidden(await read(id, bia)), where)
    const head = async ({ headers }: Person) => (await api.inject({ method: 'HEAD', url: `/orders/${id}`, headers }))
    await place.redis?.del(...where === 'only stored' ? [key(id)] : ['none'])
    t.equal((await head(bia)).statusCode, 404, `${where}, HEAD`)
    await place.redis?.del(...where === 'only stored' ? [key(id)] : ['none'])
    const own = await head(ana)
    t.strictSame([own.statusCode, own.headers.etag, own.body], [200, '"1"', ''])
    t.equal((await read(id, operator)).statusCode, 200)
  }
})

t.test('an unknown order is 404, and looks the same as somebody else\'s', async (t) => {
  const unknown = await read(randomUUID(), ana)
  t.equal(unknown.statusCode, 404)
  t.match(unknown.headers['content-type'], 'application/problem+json')
  const others = await read(pending.order_id, bia)
  const plain = (response: Response) => ({ ...response.json<{ type: string }>(), instance: '', request_id: '' })
  t.strictSame(plain(unknown), plain(others))
  t.equal(plain(unknown).type, 'urn:comanda:problem:order-not-found')
})

t.test('a reader who holds this very representation is told so without a body', async (t) => {
  const { order_id: id } = (await placeOrder(api, ana)).json<Shown>()
  await confirmedRead(id, ana)
  const ask = async (header: string, method: 'GET' | 'HEAD' = 'GET') => await api.inject({ method, url: `/orders/${id}`, headers: { ...ana.headers, 'if-none-match': header } })
  for (const header of ['"1"', 'W/"1"', '"x", "1"', '*']) {
    const { statusCode, body, headers } = await ask(header)
    t.strictSame([statusCode, body, headers.etag, headers['cache-control'], headers.vary], [304, '', '"1"', 'private, no-cache', 'Authorization'], header)
  }
  t.equal((await ask('"1"', 'HEAD')).statusCode, 304)
  for (const header of ['"1a"', '"2"', '"11", W/"x"']) t.equal((await ask(header)).statusCode, 200, header)
  for (const header of ['1', '"1', '']) t.equal((await ask(header)).statusCode, 400, header)
  t.equal((await api.inject({ url: `/orders/${id}`, headers: { ...bia.headers, 'if-none-match': '*' } })).statusCode, 404, 'and tells nobody else that it exists')
})

t.test('no cache but the reader\'s own may keep an order', async (t) => {
  for (const url of [`/orders/${pending.order_id}`, '/orders']) {
    const { headers } = await api.inject({ url, headers: ana.headers })
    t.match(headers, { 'cache-control': 'private, no-cache', vary: /authorization/i }, url)
  }
  for (const url of [`/orders/${randomUUID()}`, '/orders?limit=0']) t.equal((await api.inject({ url, headers: ana.headers })).headers['cache-control'], 'no-store', url)
})

t.test('a sane request id of a trusted proxy is kept, any other replaced, and one is always given back', async (t) => {
  const asked = async (given?: string, url = `/orders/${pending.order_id}`, app = api) => (await app.inject({ url, headers: { ...ana.headers, ...(given === undefined ? {} : { 'x-request-id': given }) } })).headers['x-request-id']
  for (const sane of ['a', 'A-1_b.c:d', 'x'.repeat(64)]) t.equal(await asked(sane), sane)
  for (const bad of ['', 'x'.repeat(65), 'two words', '<b>', 'a,b', 'é']) t.match(await asked(bad), /^[0-9a-f-]{36}$/, bad)
  t.not(await asked(), await asked())
  for (const url of ['/nowhere', '/orders?limit=x', '/livez', '/orders/%']) t.equal(await asked('mine', url), 'mine', url)
  const other = await startApi(t, place, { TRUST_PROXY: '10.0.0.0/8', AMQP_URL: '', REDIS_URL: '' })
  for (const url of ['/nowhere', '/livez', '/orders/%']) t.match(await asked('mine', url, other), /^[0-9a-f-]{36}$/, `${url}: of a client`)
})

t.test('the same key and body always name one order, one row', async (t) => {
  const again = async (id: string, person = ana, order: object = line) => (await placeOrder(api, person, order, { 'idempotency-key': id }))
  const answers = await Promise.all(Array.from({ length: 5 }, async () => await again('k-1')))
  const ids = new Set(answers.map((answer) => answer.json<Shown>().order_id))
  t.strictSame(answers.map(({ statusCode }) => statusCode), [202, 202, 202, 202, 202])
  t.equal(ids.size, 1)
  const [id] = [...ids]
  await confirmedRead(id!, ana)
  const { item_description: text, item_quantity: quantity, item_price: price } = line
  t.equal((await again('k-1', ana, { item_price: price, item_quantity: quantity, item_description: text })).json<Shown>().order_id, id, 'members in another order')
  t.equal((await read(id!, ana)).headers.etag, '"1"', 'a replay does not take the reader back')
  const other = await again('k-2')
  t.not(other.json<Shown>().order_id, id, 'another key')
  t.not((await again('k-1', bia)).json<Shown>().order_id, id, 'another caller')
  await confirmedRead(other.json<Shown>().order_id, ana)
  t.equal((await place.pool.query('select 1 from order_events where order_id = $1', [id])).rowCount, 1)
})

t.test('a key that is empty, too long, or not plain visible text is 400', async (t) => {
  for (const bad of ['', 'x'.repeat(256), 'two words', 'a,b', 'é', 'tab\there']) {
    const answer = await placeOrder(api, ana, line, { 'idempotency-key': bad })
    t.match([answer.statusCode, answer.json()], [400, { type: 'urn:comanda:problem:validation-failed', errors: [{ pointer: 'headers#/idempotency-key' }] }], JSON.stringify(bad))
  }
  for (const good of ['!', '~', 'x'.repeat(255), randomUUID()]) t.equal((await placeOrder(api, ana, line, { 'idempotency-key': good })).statusCode, 202, good)
})

t.test('two keys in one request are 400', async (t) => {
  const other = await startApi(t, place)
  await other.listen({ port: 0, host: '127.0.0.1' })
  const { port } = other.server.address() as AddressInfo
  const sent = request({ port, method: 'POST', path: '/orders', headers: { ...ana.headers, 'content-type': 'application/json', 'idempotency-key': ['one', 'two'] } })
  sent.end(JSON.stringify(line))
  const [response] = await once(sent, 'response') as [{ statusCode: number, resume (): void }]
  response.resume()
  t.equal(response.statusCode, 400)
})

t.test('a persisted order is read from the cache', needs('redis'), async (t) => {
  const { order_id: id } = (await placeOrder(api, ana)).json<Shown>()
  await confirmedRead(id, ana)
  await persistedInCache(id)
  await place.pool.query('update orders set item_description = $1 where order_id = $2', ['changed behind its back', id])
  t.match((await read(id, ana)).json(), { status: 'confirmed', item_description: line.item_description })
  await place.redis!.del(key(id))
  t.match((await read(id, ana)).json(), { item_description: 'changed behind its back' }, 'the row, once the view is gone')
  t.ok(await persistedInCache(id), 'and the row is cached again')
})
