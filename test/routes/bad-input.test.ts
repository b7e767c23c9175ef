import { randomUUID } from 'node:crypto'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { ORDERS_QUEUE } from '../../src/broker/topology.js'
import { startApi } from '../support/apps.js'
import { openChannel } from '../support/broker.js'
import { line, newcomer } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { isProblem, pointersOf } from '../support/problems.js'

const place = await openPlace(t)
const api = await startApi(t, place)
const ana = await newcomer(api)

const json = { ...ana.headers, 'content-type': 'application/json' }
const post = async (payload: string, headers: Record<string, string> = json) => await api.inject({ method: 'POST', url: '/orders', headers, payload })
const [DESCRIPTION, QUANTITY, PRICE] = ['#/item_description', '#/item_quantity', '#/item_price']
const ALL = [DESCRIPTION, PRICE, QUANTITY]

/** A good order as text, with this JSON text in the place of one member's value. */
const withMember = (name: string, text: string) => JSON.stringify({ ...line, [name]: '@' }).replace('"@"', text)
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

t.test('a body that breaks the rules is 400 and names every place where it does', async (t) => {
  const quantity = (text: string): [string, string[]] => [withMember('item_quantity', text), [QUANTITY]]
  const price = (text: string): [string, string[]] => [withMember('item_price', text), [PRICE]]
  const description = (text: string): [string, string[]] => [withMember('item_description', text), [DESCRIPTION]]
  const table: Record<string, [body: string, pointers: string[]]> = {
    'quantity 0': quantity('0'),
    'a negative quantity': quantity('-1'),
    'a quantity above the bound': quantity('1000001'),
    'half a quantity': quantity('1.5'),
    'a quantity as text': quantity('"3"'),
    'a quantity true': quantity('true'),
    'a quantity null': quantity('null'),
    'a quantity in an array': quantity('[3]'),
    'a quantity of 1e400': quantity('1e400'),
    'a quantity of 1e21': quantity('1e21'),
    'a price as text': price('"1990"'),
    'a negative price': price('-1'),
    'a price above the bound': price('100000001'),
    'a price of 19.901': price('19.901'),
    'a price null': price('null'),
    'no description': description('""'),
    'a description of white space': description('" \\t\\n\u2003\u00a0"'),
    'a description of what nobody sees': description('"\u200b\u2060\u00ad\u3164\u2800\ufe0f \udb40\udc41"'),
    'a description of 257 characters': description(JSON.stringify('é'.repeat(257))),
    'a description of 257 emoji': description(JSON.stringify('🌺'.repeat(257))),
    'a description with U+0000': description('"a\\u0000b"'),
    'a description with a lone high surrogate': description('"a\\ud800b"'),
    'a description with a lone low surrogate': description('"\\udc00"'),
    'surrogates in the wrong order': description('"\\udf3a\\ud83c"'),
    'a description as number': description('7'),
    'a description nested without end': description(nested(20_000)),
    'unknown members': [JSON.stringify({ ...line, user_id: 1, is_admin: true, 'a/b~c': 1 }), ['#/a~1b~0c', '#/is_admin', '#/user_id']],
    'an unknown member nested without end': [JSON.stringify({ ...line, extra: '@' }).replace('"@"', nested(20_000)), ['#/extra']],
    'a member of another case': [JSON.stringify({ ...line, Item_Price: 1 }), ['#/Item_Price']],
    'no members': ['{}', ALL],
    'one member': [JSON.stringify({ item_price: 1 }), [DESCRIPTION, QUANTITY]],
    'everything wrong at once': ['{"item_description":" ","item_quantity":"0","item_price":-1,"x":null}', ['#/x', ...ALL].sort()],
    'no body': ['', ['#']],
    'an array': ['[]', ['#']],
    'an array of one order': [`[${JSON.stringify(line)}]`, ['#']],
    null: ['null', ['#']],
    text: ['"x"', ['#']],
    'a number': ['7', ['#']]
  }
  for (const [name, [body, pointers]] of Object.entries(table)) {
    const problem = isProblem(t, await post(body), 400, 'validation-failed', name)
    t.strictSame(pointersOf(problem), pointers, `${name}: pointers`)
    for (const { detail } of problem.errors ?? []) t.match(detail, /^\S/, `${name}: every fault is told`)
  }
})

t.test('a body that cannot be read is 400', async (t) => {
  const table: Record<string, string> = {
    'broken JSON': '{"item_price": }',
    'truncated JSON': JSON.stringify(line).slice(0, -1),
    'JSON twice': '{}{}',
    'single quotes': "{'item_price': 1}",
    'a comma too many': '{"item_price":1,}',
    __proto__: `${JSON.stringify(line).slice(0, -1)},"__proto__":{"is_admin":true}}`,
    'an escaped __proto__': `${JSON.stringify(line).slice(0, -1)},"__pro\\u0074o__":{}}`,
    'constructor.prototype': `${JSON.stringify(line).slice(0, -1)},"constructor":{"prototype":{}}}`,
    'NaN for a number': withMember('item_price', 'NaN')
  }
  for (const [name, body] of Object.entries(table)) isProblem(t, await post(body), 400, 'bad-request', name)
})

t.test('a body in another encoding than UTF-8 is refused, by its name or by its bytes', async (t) => {
  const coffee = Buffer.from(JSON.stringify({ ...line, item_description: 'Café' }), 'latin1')
  const send = async (type: string, payload: Buffer | string) => await api.inject({ method: 'POST', url: '/orders', headers: { ...ana.headers, 'content-type': type }, payload })
  for (const charset of ['ISO-8859-1', 'utf-16', '"windows-1252"', 'us-ascii', '']) isProblem(t, await send(`application/json; charset=${charset}`, coffee), 415, 'unsupported-media-type', charset)
  isProblem(t, await send('application/json;version=1; Charset = latin1', JSON.stringify(line)), 415, 'unsupported-media-type')
  for (const bytes of [coffee, Buffer.from([0x22, 0xc0, 0xaf, 0x22]), Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), Buffer.from(JSON.stringify(line), 'utf16le').swap16()]) {
    isProblem(t, await send('application/json', bytes), 400, 'bad-request', bytes.toString('hex').slice(0, 20))
  }
})

t.test('a compressed body is refused by its coding, before anything is unpacked, and one that is not compressed is taken', async (t) => {
  const send = async (coding: string, payload: Buffer | string) => await api.inject({ method: 'POST', url: '/orders', headers: { ...json, 'content-encoding': coding }, payload })
  const text = JSON.stringify(line)
  for (const [coding, bytes] of [['gzip', gzipSync(text)], ['GZIP', gzipSync(text)], ['x-gzip', gzipSync(text)], ['deflate', deflateSync(text)], ['br', brotliCompressSync(text)], ['zstd', text], ['identity, gzip', gzipSync(text)], ['gzip', text]] as const) {
    isProblem(t, await send(coding, bytes), 415, 'unsupported-media-type', coding)
  }
  for (const coding of ['identity', 'Identity', '', 'utf-8', 'UTF8']) isProblem(t, await send(coding, '{}'), 400, 'validation-failed', `${coding}: it is read`)
})

t.test('a content type without a body is taken where none is needed, and where one is it is missing', async (t) => {
  for (const type of ['application/json', 'application/json; charset=utf-8', 'text/plain', 'application/x-www-form-urlencoded', 'x']) {
    const headers = { ...ana.headers, 'content-type': type }
    for (const length of [{}, { 'content-length': '0' }]) {
      t.equal((await api.inject({ method: 'POST', url: '/auth/token/renew', headers: { ...headers, ...length } })).statusCode, 200, type)
      isProblem(t, await api.inject({ method: 'DELETE', url: `/orders/${randomUUID()}`, headers: { ...headers, ...length } }), 404, 'order-not-found', type)
      isProblem(t, await api.inject({ method: 'POST', url: '/orders', headers: { ...headers, ...length } }), 400, 'validation-failed', type)
    }
  }
})

t.test('a body above 64 KiB is 413, however it comes', async (t) => {
  for (const size of [64 * 1024 + 1, 2 * 1024 * 1024]) isProblem(t, await post(JSON.stringify({ ...line, item_description: 'x'.repeat(size) })), 413, 'payload-too-large', `${size} bytes`)
  isProblem(t, await api.inject({ method: 'POST', url: '/auth/token', payload: { nick_name: 'x', password: 'x'.repeat(70_000) } }), 413, 'payload-too-large')
})

t.test('a body of another content type is 415', async (t) => {
  for (const type of ['application/xml', 'text/plain', 'text/plain; charset=utf-8', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json-patch+json', 'application/jsonx', 'x', '']) {
    isProblem(t, await post(JSON.stringify(line), { ...ana.headers, 'content-type': type }), 415, 'unsupported-media-type', type)
  }
  isProblem(t, await post(JSON.stringify(line), ana.headers), 415, 'unsupported-media-type', 'none')
})

t.test('an id in the path that is no UUID is 400 or 404', async (t) => {
  const get = async (id: string) => await api.inject({ url: `/orders/${id}`, headers: ana.headers })
  const id = randomUUID()
  for (const bad of ['42', id.slice(1), `${id}0`, `{${id}}`, `urn:uuid:${id}`, id.replaceAll('-', ''), '%00', '..%2f', '..%2f..%2fetc%2fpasswd', `${id}%20`, 'x'.repeat(200), '%F0%9F%8C%BA', "1'%20or%20'1'='1"]) {
    t.strictSame(pointersOf(isProblem(t, await get(bad), 400, 'validation-failed', bad)), ['params#/order_id'], bad)
  }
  for (const bad of ['x'.repeat(201), 'x'.repeat(5000), '%', '%zz', '%ff', `%E0%A4%A?secret=${id}`]) isProblem(t, await get(bad), 400, 'bad-request', bad.slice(0, 20))
  for (const unknown of [`${id}/x`, `${id}/`]) isProblem(t, await get(unknown), 404, 'not-found', `"${unknown}"`)
})

t.test('a bad query is 400 and names every place', async (t) => {
  const table: Record<string, string[]> = {
    'limit=1e9': ['limit'],
    'limit=-1': ['limit'],
    'limit=0': ['limit'],
    'limit=101': ['limit'],
    'limit=abc': ['limit'],
    'limit=': ['limit'],
    'limit=1.5': ['limit'],
    'limit=NaN': ['limit'],
    'limit=0x0a': ['limit'],
    'limit=1e1': ['limit'],
    'limit=10.0': ['limit'],
    'limit=%2010': ['limit'],
    'limit=+5': ['limit'],
    'user_id=0b1': ['user_id'],
    'limit=Infinity': ['limit'],
    'limit=1e400': ['limit'],
    'user_id=-Infinity&limit=0&x=1': ['limit', 'user_id', 'x'],
    'limit=1&limit=2': ['limit'],
    'offset=1': ['offset'],
    'Limit=1': ['Limit'],
    'status=lost': ['status'],
    'status=': ['status'],
    'status=paid&status=shipped': ['status'],
    'user_id=0': ['user_id'],
    'user_id=2147483648': ['user_id'],
    'user_id=me': ['user_id'],
    'created_from=2026-02-30T00:00:00Z': ['created_from'],
    'created_from=2026-11-23': ['created_from'],
    'created_from=2026-11-23T12:00:00': ['created_from'],
    'created_from=2026-11-23T25:00:00Z': ['created_from'],
    'created_from=0000-01-01T00:00:00Z': ['created_from'],
    'created_from=%2B275760-09-13T00:00:00Z': ['created_from'],
    'created_from=-000001-01-01T00:00:00Z': ['created_from'],
    'created_from=2026-11-23T12:00:00%2B16:00': ['created_from'],
    'created_from=2026-11-23T12:00:00-23:59': ['created_from'],
    [`created_from=2026-01-01T00:00:00.${'1'.repeat(150)}Z&created_to=2026-01-01T00:00:00.${'1'.repeat(16)}Z`]: ['created_from', 'created_to'],
    'created_from=now': ['created_from'],
    'created_from=infinity': ['created_from'],
    'created_to=yesterday&created_from=&limit=x&page=2': ['created_from', 'created_to', 'limit', 'page'],
    [`cursor=${'x'.repeat(201)}`]: ['cursor']
  }
  for (const [query, places] of Object.entries(table)) {
    const problem = isProblem(t, await api.inject({ url: `/orders?${query}`, headers: ana.headers }), 400, 'validation-failed', query)
    t.strictSame(pointersOf(problem), places.map((name) => `querystring#/${name}`), query)
  }
})

t.test('every date that the list takes is one that Postgres takes', async (t) => {
  for (const date of ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999Z', '2026-06-30T23:59:60Z', '2026-11-23T12:00:00.123456789Z', '2026-11-23T12:00:00.123456789%2B15:59', '2026-11-23t12:00:00z', '2026-11-23T12:00:00%2B15:59', '2026-11-23T12:00:00-15:59', '2024-02-29T00:00:00-03:00']) {
    t.equal((await api.inject({ url: `/orders?created_from=${date}&created_to=${date}`, headers: ana.headers })).statusCode, 200, date)
  }
})

t.test('a cursor that was not given out is 400', async (t) => {
  const made = (text: string) => Buffer.from(text).toString('base64url')
  for (const cursor of ['x', '', 'null', '%00', made(`2026-02-30T00:00:00.000Z ${randomUUID()}`), made(`0000-01-01T00:00:00.000Z ${randomUUID()}`), made('2026-11-23T00:00:00.000Z x'), `${made(`2026-11-23T00:00:00.000Z ${randomUUID()}`)}x`]) {
    isProblem(t, await api.inject({ url: `/orders?cursor=${cursor}`, headers: ana.headers }), 400, 'bad-cursor', cursor)
  }
})

t.test('an address nobody knows is 404, a method it does not know is 405 with Allow', async (t) => {
  for (const url of ['/', '/nowhere', '/order', '//orders', '/Orders', '/.env', '/orders.json', '/auth']) isProblem(t, await api.inject({ url, headers: ana.headers }), 404, 'not-found', url)
  const table: Array<['DELETE' | 'PUT' | 'PATCH' | 'POST' | 'GET' | 'OPTIONS', string, string[]]> = [
    ['DELETE', '/orders', ['GET', 'HEAD', 'POST']], ['PUT', '/orders', ['GET', 'HEAD', 'POST']], ['POST', `/orders/${randomUUID()}`, ['DELETE', 'GET', 'HEAD', 'PATCH']], ['GET', `/orders/${randomUUID()}/status`, ['PUT']],
    ['GET', '/auth/token', ['DELETE', 'POST']], ['OPTIONS', '/auth/token', ['DELETE', 'POST']], ['PATCH', '/users', ['GET', 'HEAD', 'POST']], ['POST', '/livez?x=1', ['GET', 'HEAD']]
  ]
  for (const [method, url, allow] of table) {
    const response = await api.inject({ method, url, headers: ana.headers })
    isProblem(t, response, 405, 'method-not-allowed', `${method} ${url}`)
    t.strictSame((response.headers.allow as string ?? '').split(', ').sort(), allow, `${method} ${url}: Allow`)
  }
})

t.test('of all this nothing was stored, nothing was published, and nothing failed inside', async (t) => {
  const { rows } = await place.pool.query('select (select count(*) from orders)::int as orders, (select count(*) from order_events)::int as events, (select count(*) from fallback_queue)::int as fallback')
  t.strictSame(rows, [{ orders: 0, events: 0, fallback: 0 }])
  const kept = await place.redis?.keys(`${place.redisPrefix}*`) ?? []
  t.strictSame(kept.filter((key) => key !== `${place.redisPrefix}views:since` && !key.startsWith(`${place.redisPrefix}count:`)), [], 'but what limits count')
  t.strictSame(api.lines.filter(({ level }) => level === 'error' || level === 'fatal'), [])
})

t.test('nor does the broker hold anything of it', needs('rabbitmq'), async (t) => {
  const channel = await openChannel(t, place.env.AMQP_URL!)
  t.equal((await channel.checkQueue(ORDERS_QUEUE)).messageCount, 0)
})

t.test('what is unusual and right is taken', async (t) => {
  for (const type of ['application/json;charset=UTF-8', 'application/json; charset="utf-8"', 'Application/JSON ; charset=utf8']) t.equal((await post(JSON.stringify(line), { ...ana.headers, 'content-type': type })).statusCode, 202, type)
  t.equal((await post(JSON.stringify({ ...line, item_description: 'می\u200cخواهم 👩\u200d💻 \u202eabc' }))).statusCode, 202, 'unseen characters beside others')
  const table: Record<string, string> = {
    '256 emoji': withMember('item_description', JSON.stringify('🌺'.repeat(256))),
    'one character among white space': withMember('item_description', '" x "'),
    'an escaped pair of surrogates': withMember('item_description', '"\\ud83c\\udf3a"'),
    'the largest quantity and price': JSON.stringify({ ...line, item_quantity: 1_000_000, item_price: 100_000_000 }),
    'price 0': withMember('item_price', '0'),
    'price -0': withMember('item_price', '-0'),
    'quantity 3.0 and price 1e3': withMember('item_quantity', '3.0').replace('1990', '1e3'),
    'a member twice: the last wins': JSON.stringify(line).replace('{', '{"item_price":"x",')
  }
  for (const [name, body] of Object.entries(table)) t.equal((await post(body)).statusCode, 202, name)
  t.equal((await post(`\ufeff${JSON.stringify(line)}`)).statusCode, 202, 'a byte order mark')
  t.equal((await post(JSON.stringify(line), { ...ana.headers, 'content-type': 'Application/JSON; charset=UTF-8' })).statusCode, 202)
})
