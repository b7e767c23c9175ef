import { type AddressInfo, connect } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import type { InjectOptions, Response } from 'light-my-request'
import t from 'tap'
import { startApi } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { hostileBodies } from '../support/hostile.js'
import { limitOf } from '../support/limits.js'
import { line, newcomer, newOperator, place as placeOrder, registration, type Shown } from '../support/people.js'
import { openPlace } from '../support/place.js'
import { holds } from '../support/properties.js'

/**
 * Whatever is sent to whichever route: an answer in time, never 5xx, a refusal always as problem details, and nothing that was
 * refused is stored. No worker runs and no broker is used: what is taken shows in the fallback queue at once.
 */
const place = await openPlace(t)
const api = await startApi(t, place, { AMQP_URL: '', LOGIN_LIMIT: '100000' })
const [ana, leaver, operator] = [await newcomer(api), await newcomer(api), await newOperator(api, place)]
const orders = (await Promise.all(Array.from({ length: 40 }, async () => await placeOrder(api, ana)))).map((placed) => placed.json<Shown>().order_id)
const LIMIT_MS = limitOf(5000)
/** So long no input may keep everybody else waiting, and so much no answer may say of its faults. */
const [LARGEST, LARGEST_BATCH] = [63 * 1024, 1023 * 1024]
const [BLOCKED_MS, FAULT_BYTES, MOST_FAULTS] = [limitOf(200), 64 * 1024, 100]

type Method = NonNullable<InjectOptions['method']>
const { paths } = api.swagger() as { paths: Record<string, Record<string, unknown>> }
const routes = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method): [Method, string] => [method.toUpperCase() as Method, path]))

const nasty = fc.constantFrom('', ' ', '\u0000', 'a\u0000b', '\ud800', '\udc00x', '\u202e', '🌺'.repeat(300), 'x'.repeat(300), '1e400', '-1', 'NaN', 'null', '2147483648', '%00', '../..', "' or 1=1 --", '{}', '[]', '0001-01-01T00:00:00Z', '*', '"1"', '00000000-0000-0000-0000-000000000000')
const text = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ maxLength: 60 }))
/** URLs cannot hold half a pair of surrogates. */
const wellFormed = (one: string) => one.replace(/\p{Cs}/gu, '\ufffd')
const number = fc.oneof(fc.constantFrom(0, -0, -1, 1, 2147483648, 1e21, 5e-324, Number.MAX_SAFE_INTEGER), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
const value = fc.oneof(text, number, fc.boolean(), fc.constant(null), fc.jsonValue({ maxDepth: 3 }))

/** Text somewhere, that passes for the most part. */
const odd = fc.tuple(fc.string({ maxLength: 8 }), fc.oneof({ weight: 3, arbitrary: fc.constantFrom('\u0000', '\ud800', '\udc00', '\u202e', '🌺') }, fc.string({ unit: 'binary', maxLength: 8 }))).map((parts) => parts.join(''))

/** A good body of which one member is odd, or several are anything, missing or unknown. */
const spoiled = (good: Record<string, unknown>) => fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...Object.keys(good)).chain((name) => (typeof good[name] === 'number' ? number : odd).map((one) => ({ ...good, [name]: one }))) },
  { weight: 1, arbitrary: fc.dictionary(fc.oneof(fc.constantFrom(...Object.keys(good)), text), value, { maxKeys: 3 }).map((changes) => ({ ...good, ...changes })) },
  { weight: 1, arbitrary: fc.subarray(Object.entries(good)).map((members) => Object.fromEntries(members)) }
)
const order = spoiled(line)
const people = fc.constantFrom(...Array.from({ length: 40 }, registration))
const GOOD: Record<string, fc.Arbitrary<unknown>> = {
  'POST /orders': order,
  'PATCH /orders/{order_id}': order,
  'POST /orders/batch': fc.array(spoiled({ ...line, idempotency_key: 'k' }), { maxLength: 4 }),
  'PUT /orders/{order_id}/status': spoiled({ status: 'paid' }),
  'POST /users': people.chain(spoiled),
  'PATCH /users/{user_id}': people.chain(({ password: _, ...known }) => spoiled(known)),
  'PUT /users/{user_id}/password': spoiled({ password: 'a wrong guess', new_password: 'another long password' }),
  'POST /auth/token': spoiled({ nick_name: ana.nick_name, password: 'a wrong guess' })
}
/** A good body for each route that takes one. */
const EXAMPLES: Record<string, Record<string, unknown> | Array<Record<string, unknown>>> = {
  'POST /orders': line,
  'PATCH /orders/{order_id}': line,
  'POST /orders/batch': [{ ...line, idempotency_key: 'k' }],
  'PUT /orders/{order_id}/status': { status: 'paid' },
  'POST /users': registration(),
  'PATCH /users/{user_id}': { full_name: 'x' },
  'DELETE /users/{user_id}': { password: 'a wrong guess' },
  'PUT /users/{user_id}/password': { password: 'a wrong guess', new_password: 'another long password' },
  'POST /auth/token': { nick_name: ana.nick_name, password: 'a wrong guess' },
  'POST /webhooks': { url: 'ftp://refused.example', description: 'x', types: ['comanda.order.paid'] },
  'PATCH /webhooks/{webhook_id}': { url: 'ftp://refused.example', description: 'x', enabled: true },
  'PUT /users/{user_id}/role': { role: 'operator', password: 'a wrong guess' },
  'POST /console/session': { nick_name: ana.nick_name, password: 'a wrong guess' },
  'POST /parked/replay': { reason: 'x', text: 'x', dry_run: true },
  'POST /parked/discard': { reason: 'x', ids: ['0'.repeat(64)], dry_run: true },
  'POST /webhooks/{webhook_id}/replay': { after: 999_999_999_999_999, before: 1 }
}
const bodyOf = (route: string) => fc.oneof(
  { weight: 8, arbitrary: (GOOD[route] ?? fc.constant(undefined)).map((one) => JSON.stringify(one) as string | undefined) },
  { weight: 1, arbitrary: fc.oneof(...Object.values(GOOD), fc.jsonValue()).map((one) => JSON.stringify(one)) },
  { weight: 1, arbitrary: fc.oneof(text, fc.constantFrom('{"__proto__":{}}', '['.repeat(5000), '{"a":1,"a":2}', '\ufeff{}')) }
)
/** What may stand in a header field: anything but controls (RFC 9110, section 5.5). */
const field = fc.oneof(fc.string({ maxLength: 40 }), nasty).map((one) => one.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?'))
const headers = fc.record({
  'idempotency-key': field,
  'if-match': fc.oneof(field, fc.constantFrom('*', '"1"', '"1a"')),
  'if-none-match': fc.oneof(field, fc.constantFrom('*', '"1"', '"1a"')),
  'x-request-id': field,
  traceparent: field,
  origin: fc.constant('https://elsewhere.example'),
  accept: field
}, { requiredKeys: [] })
/** Never empty and no dots alone: that is another path. */
const segment = (one: string) => /^(\.|%2e)*$/i.test(one) ? '~' : one
const parameterOf = (path: string) => fc.oneof(
  { weight: 4, arbitrary: path.includes('{order_id}') ? fc.constantFrom(...orders, orders[0]!.toUpperCase()) : fc.constantFrom('me', String(ana.user_id)) },
  { weight: 1, arbitrary: text.map((one) => segment(encodeURIComponent(wellFormed(one)))) },
  { weight: 1, arbitrary: text.map((one) => segment(one.replace(/[^\x21-\x7e]|[?#/\\]/g, '~'))) }
)
const numeral = fc.oneof(fc.constantFrom('1', '0', '-1', '101', '1.5', '1e400', 'Infinity', '-Infinity', 'NaN', ' 1', '2147483648'), number.map(String))
const date = fc.oneof(fc.constantFrom('0000-01-01T00:00:00Z', '2026-02-30T00:00:00Z', '+275760-09-13T00:00:00Z', '2026-01-01T00:00:00+23:59', '2026-06-30T23:59:60Z', 'infinity'), fc.date({ noInvalidDate: true }).map((one) => one.toISOString()))
const QUERY = { limit: numeral, user_id: numeral, created_from: date, created_to: date, status: fc.constantFrom('paid', 'PAID', ''), cursor: fc.oneof(text, fc.base64String()) }
const query: fc.Arbitrary<Record<string, string>> = fc.oneof(
  fc.constant({}),
  fc.constantFrom(...Object.keys(QUERY) as Array<keyof typeof QUERY>).chain((name) => QUERY[name].map((one) => ({ [name]: one }))),
  fc.record(QUERY, { requiredKeys: [] }),
  fc.dictionary(text, text, { maxKeys: 3 })
)

// Those with a body or a query more often: there is more to get wrong.
const LISTS = ['GET /orders', 'GET /users', 'GET /users/{user_id}/orders', 'GET /orders/{order_id}/events']
const richer = routes.filter((route) => route.join(' ') in GOOD || LISTS.includes(route.join(' ')))
const cases = fc.constantFrom(...routes, ...richer, ...richer).chain((route) => fc.record({
  route: fc.constant(route),
  parameter: parameterOf(route[1]),
  query,
  headers,
  token: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(ana.headers.authorization, operator.headers.authorization) }, { weight: 1, arbitrary: field }, { weight: 1, arbitrary: fc.constant(undefined) }),
  type: fc.oneof({ weight: 9, arbitrary: fc.constant('application/json') }, { weight: 1, arbitrary: fc.oneof(field, fc.constant('text/plain')) }),
  body: bodyOf(route.join(' '))
}))
type Case = typeof cases extends fc.Arbitrary<infer One> ? One : never

function requestOf ({ route: [method, path], parameter, query, headers, token, type, body }: Case): InjectOptions {
  const url = path.replace(/\{\w+\}/, () => parameter)
  // Who asks here must still be there for the next case.
  const spared = method === 'DELETE' && path === '/users/{user_id}' ? url.replace(/(me|\d+)$/, '2147483647') : url
  const search = new URLSearchParams(Object.entries(query)).toString()
  const asks = method === 'DELETE' && ['/auth/token', '/console/session'].includes(path) ? leaver.headers.authorization : token
  return {
    method,
    url: search === '' ? spared : `${spared}?${search}`,
    headers: { ...headers, ...(asks === undefined ? {} : { authorization: asks }), ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { payload: body })
  }
}

/** Everything that is stored, in one number each: rows, and what stands in them. */
async function stored (): Promise<{ taken: number, rest: string }> {
  const { rows } = await place.pool.query<{ taken: number, rest: string }>(`
    select (select count(*) from fallback_queue)::int as taken, concat_ws(' ', (select sum(hashtext(u::text)) from users u), (select sum(hashtext(o::text)) from fallback_queue o), (select count(*) from orders), (select count(*) from order_events), (select count(*) from parked_events)) as rest`)
  return rows[0]!
}

function faultOf (response: Response): string | null {
  const { statusCode, headers, body } = response
  if (statusCode >= 500) return `${statusCode}: ${body}`
  if (statusCode < 400 || body === '') return null
  if (body.length > FAULT_BYTES) return `${statusCode} with ${body.length} bytes`
  if (!/^application\/problem\+json/.test(String(headers['content-type']))) return `${statusCode} as ${String(headers['content-type'])}`
  return (JSON.parse(body) as { status: number }).status === statusCode ? null : `${statusCode} says ${body}`
}

/** How many orders and changes this answer says were taken. */
function takenBy (response: Response): number {
  if (response.statusCode === 202) return 1
  return response.statusCode === 207 ? response.json<{ items: Array<{ status: number }> }>().items.filter(({ status }) => status === 202).length : 0
}

t.test('whatever is sent to any route is answered in time, never with 5xx, refused as a problem, and stored only if it was taken', async (t) => {
  const seen = new Set<number>()
  await holds(t, 800, cases, async (one) => {
    const before = await stored()
    const answer = await Promise.race([api.inject(requestOf(one)), pause(LIMIT_MS, null, { ref: false })])
    if (answer === null) throw new Error('no answer in time')
    const fault = faultOf(answer)
    if (fault !== null) throw new Error(fault)
    seen.add(answer.statusCode)
    const after = await stored()
    if (after.taken - before.taken > takenBy(answer)) throw new Error(`${answer.statusCode}, and ${after.taken - before.taken} stored: ${answer.body}`)
    if (answer.statusCode >= 400 && after.rest !== before.rest) throw new Error(`refused with ${answer.statusCode} and stored: ${answer.body}`)
  })
  for (const status of [200, 202, 207, 400, 401, 403, 404]) t.ok(seen.has(status), `${status} was among the answers`)
  t.strictSame(api.lines.filter(({ level }) => level === 'error' || level === 'fatal'), [])
})

interface Faulty { errors?: Array<{ pointer: string }>, errors_omitted?: number }

/** What is too much in an answer; a list of results is judged by the faults in all of them. */
function excessOf (status: number, text: string): string | null {
  const answer = JSON.parse(text) as Faulty & { items?: Array<{ problem?: Faulty }> }
  const problems = status === 207 ? answer.items!.flatMap(({ problem }) => problem ?? []) : [answer]
  const errors = problems.flatMap((problem) => problem.errors ?? [])
  const bytes = Buffer.byteLength(status === 207 ? JSON.stringify(errors) : text)
  if (status !== 207 && status < 400) return `${status}: it was taken`
  if (status >= 500) return `${status}: ${text}`
  return errors.length > MOST_FAULTS || bytes > FAULT_BYTES ? `${status}: ${errors.length} faults in ${bytes} bytes` : null
}

t.test('no input, however large or twisted, keeps others waiting for 200 ms, or is answered with more than 100 faults or 64 KiB of them', async (t) => {
  const origin = await api.listen({ port: 0, host: '127.0.0.1' })
  const { authorization } = ana.headers
  const measured = async (name: string, url: string, options: RequestInit) => {
    const delay = monitorEventLoopDelay({ resolution: 2 })
    delay.enable()
    const response = await fetch(`${origin}${url}`, options)
    const text = await response.text()
    const turns = delay.count
    await eventually('the measure has had its turn behind the last piece of work', () => delay.count > turns)
    delay.disable()
    const excess = excessOf(response.status, text)
    if (excess !== null) t.fail(`${name}: ${excess.slice(0, 300)}`)
    if (delay.max / 1e6 > BLOCKED_MS) t.fail(`${name}: nothing else went on for ${Math.round(delay.max / 1e6)} ms`)
  }
  const { webhook_id: webhook } = (await api.inject({ method: 'POST', url: '/webhooks', headers: ana.headers, payload: { url: 'http://127.0.0.1:9' } })).json<{ webhook_id: string }>()
  const bodyRoutes = routes.filter(([method, path]) => (paths[path]![method.toLowerCase()] as { requestBody?: object }).requestBody !== undefined)
  t.strictSame(bodyRoutes.map((route) => route.join(' ')).filter((route) => !(route in EXAMPLES)), [], 'every route with a body has its example')
  for (const [method, path] of bodyRoutes) {
    const url = path.replace('{order_id}', orders[0]!).replace('{user_id}', 'me').replace('{webhook_id}', webhook)
    for (const [name, body] of hostileBodies(EXAMPLES[`${method} ${path}`]!, path === '/orders/batch' ? LARGEST_BATCH : LARGEST)) {
      await measured(`${method} ${path}: ${name}`, url, { method, body, headers: { authorization, 'content-type': 'application/json' } })
    }
  }
  const parameters = Array.from({ length: 3000 }, (_, index) => `${index.toString(36)}=`).join('&')
  for (const route of LISTS) await measured(route, `${route.slice(4).replace('{order_id}', orders[0]!).replace('{user_id}', 'me')}?${parameters}`, { headers: { authorization: operator.headers.authorization } })
})

t.test('whatever bytes come over a connection, it is closed with a problem or without a word, and the next client is served', async (t) => {
  if (!api.server.listening) await api.listen({ port: 0, host: '127.0.0.1' })
  const { port } = api.server.address() as AddressInfo
  const say = async (bytes: Uint8Array | string): Promise<string> => {
    const socket = connect(port, '127.0.0.1').end(bytes)
    const limit = setTimeout(() => socket.destroy(new Error('no end in time')), LIMIT_MS)
    return (await socket.toArray()).join('') + (clearTimeout(limit) ?? '')
  }
  const head = fc.tuple(fc.constantFrom('GET', 'POST', 'PRI', 'get', '\u0000'), fc.constantFrom('/orders', '*', '//', '/%', ''), fc.constantFrom('HTTP/1.1', 'HTTP/9.9', 'HTTP'), text, text)
    .map(([method, url, version, name, given]) => `${method} ${url} ${version}\r\nHost: x\r\nConnection: close\r\n${name}: ${given}\r\n\r\n`)
  await holds(t, 100, fc.oneof(head, text, fc.uint8Array({ maxLength: 200 })), async (bytes) => {
    const answer = await say(bytes)
    if (answer !== '' && !/^HTTP\/1\.1 4\d\d [\s\S]*application\/problem\+json/i.test(answer)) throw new Error(answer)
  })
  t.match(await say('GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 200 /)
})
