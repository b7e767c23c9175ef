import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import t, { type Test } from 'tap'
import { type App, boot, startApi } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { limitOf } from '../support/limits.js'
import { line, newcomer, place as placeOrder, registration } from '../support/people.js'
import { openPlace, shutDatabase } from '../support/place.js'
import { isProblem } from '../support/problems.js'
import { routesOf } from '../support/routes.js'

interface Ready { status: string, services: Record<string, { state: string, since: string }> }

const place = await openPlace(t)
const api = await startApi(t, place)
/** Everything that any process of this file logged. */
const everyLine: App['lines'][] = [api.lines]
const secrets = new Set<string>()

const requestsOf = (app: App) => app.lines.filter(({ event }) => event === 'request')

t.test('every request is one line that says who asked for what and how it went', async (t) => {
  const ana = await newcomer(api)
  const from = requestsOf(api).length
  const ask = async (method: 'GET' | 'POST' | 'DELETE', url: string, given: object = {}) => await api.inject({ method, url, headers: { ...ana.headers, 'x-request-id': `${method}:${url.replace(/\W/g, '.')}` }, ...given })
  await ask('POST', '/orders', { payload: line })
  await ask('GET', '/orders?limit=1')
  await ask('GET', '/orders/42')
  await ask('DELETE', '/orders')
  await ask('GET', '/nowhere?token=1')
  await ask('GET', '/orders/%')
  await ask('GET', '/orders', { headers: { 'x-request-id': 'anonymous' } })
  const lines = requestsOf(api).slice(from)
  t.strictSame(lines.map((one) => [one.method, one.route, one.status, one.client_request_id, one.user_id]), [
    ['POST', '/orders', 202, 'POST:.orders', ana.user_id],
    ['GET', '/orders', 200, 'GET:.orders.limit.1', ana.user_id],
    ['GET', '/orders/:order_id', 400, 'GET:.orders.42', ana.user_id],
    ['DELETE', 'unknown', 405, 'DELETE:.orders', undefined],
    ['GET', 'unknown', 404, 'GET:.nowhere.token.1', undefined],
    ['GET', 'unknown', 400, 'GET:.orders..', undefined],
    ['GET', '/orders', 401, 'anonymous', undefined]
  ])
  for (const one of lines) {
    t.match(one.request_id, /^[0-9a-f-]{36}$/)
    t.match(one, { level: 'info', name: 'api', version: /^\d+\.\d+\.\d+/, pid: process.pid, time: /^\d{4}-.*Z$/ })
    t.type(one.duration_ms, 'number')
  }
})

t.test('behind a trusted proxy no word that is not an address is a client of its own', async (t) => {
  const app = await boot(t, 'api', { ...place.env, AMQP_URL: '', REDIS_URL: '', TRUST_PROXY: '10.0.0.1', LOGIN_LIMIT: '2' })
  const register = async (told: string) => (await app.inject({ method: 'POST', url: '/users', remoteAddress: '10.0.0.1', headers: { 'x-forwarded-for': told }, payload: {} })).statusCode
  for (const [first, second, third] of [['9.9.9.9:1', '9.9.9.9:2', '9.9.9.9'], ['unknown', '009.9.9.9', '"words"'], ['[2001:db8::1]:1', '[2001:db8::2]:2', '2001:db8::3'], ['8.8.8.8', '::ffff:8.8.8.8', '"[::FFFF:8.8.8.8]:443"'], ['::ffff:7.7.7.7', '[::ffff:707:707]:1', '7.7.7.7:9']] as const) {
    t.strictSame([await register(first), await register(second), await register(third)], [400, 400, 429], `${first}, ${second}, ${third}`)
  }
})

t.test('the id of a request is ours or a trusted proxy\'s; what its client calls it stands beside it', async (t) => {
  const app = await boot(t, 'api', { ...place.env, AMQP_URL: '', REDIS_URL: '', TRUST_PROXY: 'loopback, 10.0.0.0/8' })
  const ask = async (remoteAddress: string, given: string) => {
    const { headers } = await app.inject({ url: '/nowhere', remoteAddress, headers: { 'x-request-id': given } })
    const { request_id, client_request_id } = requestsOf(app).at(-1)!
    t.equal(headers['x-request-id'], request_id, 'what is given back finds the line')
    return [request_id === given, client_request_id]
  }
  for (const proxy of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '10.255.0.1', '::ffff:10.1.2.3']) t.strictSame(await ask(proxy, 'of-the-proxy'), [true, undefined], proxy)
  for (const client of ['11.0.0.1', '::ffff:11.0.0.1', 'fe80::1']) t.strictSame(await ask(client, 'its-own'), [false, 'its-own'], client)
  t.strictSame(await ask('11.0.0.1', 'two words'), [false, undefined])
  await t.rejects(boot(t, 'api', { ...place.env, TRUST_PROXY: 'proxy.example' }), /TRUST_PROXY names what is no address/)
})

t.test('a client that forwards an address to an api that trusts no proxy is told of once', async (t) => {
  const ask = async (app: App) => { for (let n = 0; n < 3; n++) await app.inject({ url: '/nowhere', headers: { 'x-forwarded-for': '10.0.0.9' } }) }
  const [open, set] = [await boot(t, 'api', { ...place.env, AMQP_URL: '', REDIS_URL: '' }), await boot(t, 'api', { ...place.env, AMQP_URL: '', REDIS_URL: '', TRUST_PROXY: '10.0.0.1' })]
  const warned = (app: App) => app.lines.filter(({ event }) => event === 'proxy_not_trusted').length
  await ask(open)
  await ask(set)
  t.strictSame([warned(open), warned(set)], [1, 0])
})

t.test('every answer says nosniff, and where it came by https that it always does', async (t) => {
  const app = await boot(t, 'api', { ...place.env, AMQP_URL: '', REDIS_URL: '', TRUST_PROXY: '10.0.0.1' })
  const hsts = async (url: string, remoteAddress: string, proto?: string) => (await app.inject({ url, remoteAddress, headers: proto ? { 'x-forwarded-proto': proto } : {} })).headers['strict-transport-security']
  for (const url of ['/livez', '/orders', '/nowhere', '/orders/%', '/docs', '/docs/static/nope', '/docs/json', '/metrics']) {
    t.equal((await app.inject(url)).headers['x-content-type-options'], 'nosniff', url)
    t.match(await hsts(url, '10.0.0.1', 'https'), /^max-age=\d{8}$/, url)
    t.strictSame([await hsts(url, '10.0.0.1', 'http'), await hsts(url, '10.0.0.2', 'https'), await hsts(url, '10.0.0.1')], [undefined, undefined, undefined], url)
  }
})

t.test('probes are not logged', async (t) => {
  const before = api.lines.length
  for (const url of ['/livez', '/readyz']) t.equal((await api.inject(url)).statusCode, 200)
  t.strictSame(api.lines.slice(before).filter(({ event }) => event === 'request'), [])
})

t.test('liveness looks at nothing', async (t) => {
  const app = await boot(t, 'api', { DATABASE_URL: 'postgres://127.0.0.1:1/x', REDIS_URL: 'redis://127.0.0.1:1', AMQP_URL: 'amqp://127.0.0.1:1', LOG_LEVEL: 'warn' })
  everyLine.push(app.lines)
  const response = await app.inject('/livez')
  t.strictSame([response.statusCode, response.json()], [200, { status: 'alive' }])
})

t.test('readiness names each service, its state and since when', async (t) => {
  const { status, services } = (await api.inject('/readyz')).json<Ready>()
  const all = Object.values(services)
  t.equal(status, all.every(({ state }) => state === 'up' || state === 'off') ? 'ready' : 'degraded')
  t.strictSame(Object.keys(services).sort(), ['postgres', 'rabbitmq', 'redis'])
  for (const { since } of all) t.ok(Date.now() - Date.parse(since) < 60_000 && Date.parse(since) <= Date.now())
})

t.test('an api is ready while one of the two paths of an order is open', async (t) => {
  const gone = { DATABASE_URL: 'postgres://ana:hunter2@127.0.0.1:1/x', REDIS_URL: 'redis://:hunter2@127.0.0.1:1', AMQP_URL: 'amqp://ana:hunter2@127.0.0.1:1' }
  secrets.add('hunter2')
  const table: Array<[name: 'api' | 'worker', away: Partial<typeof gone>, down: string[], status: string, code: number]> = [
    ['api', { REDIS_URL: gone.REDIS_URL }, ['redis'], 'degraded', 200],
    ['api', { AMQP_URL: gone.AMQP_URL }, ['rabbitmq'], 'degraded', 200],
    ...(place.env.AMQP_URL ? [['api', { DATABASE_URL: gone.DATABASE_URL }, ['postgres'], 'degraded', 200] as typeof table[number]] : []),
    ['api', { DATABASE_URL: gone.DATABASE_URL, AMQP_URL: gone.AMQP_URL }, ['postgres', 'rabbitmq'], 'unready', 503],
    ['api', { DATABASE_URL: gone.DATABASE_URL, AMQP_URL: '' }, ['postgres'], 'unready', 503],
    ['worker', { DATABASE_URL: gone.DATABASE_URL }, ['postgres'], 'unready', 503],
    ['worker', { AMQP_URL: gone.AMQP_URL }, ['rabbitmq'], 'degraded', 200]
  ]
  await Promise.all(table.map(async ([name, away, down, status, code]) => {
    const app = await boot(t, name, { ...place.env, ...away })
    everyLine.push(app.lines)
    const what = `${name} without ${down.join(' and ')}`
    await eventually(`${what}: every other service is up`, async () => {
      const services = Object.entries((await app.inject('/readyz')).json<Ready>().services)
      const away = services.filter(({ 1: { state } }) => state === 'down').map(([service]) => service)
      return services.length === 3 && services.every(({ 1: { state } }) => state !== 'starting') && away.sort().join() === down.join()
    })
    const response = await app.inject('/readyz')
    t.strictSame([response.json<Ready>().status, response.statusCode], [status, code], what)
    t.equal(response.headers['cache-control'], 'no-store')
  }))
})

t.test('no personal data, password or token is in any line that was logged, whatever went wrong', async (t) => {
  const person = { ...registration(), full_name: 'Canário Amarelo', email: 'canary@example.com', phone_number: '+55 99 97777-5555', password: 'a canary password' }
  const ana = await newcomer(api, person)
  for (const value of [person.cpf, person.full_name, person.email, person.phone_number, person.password, ana.headers.authorization.slice('Bearer '.length), 'eyJhbGciOi', place.env.JWT_SECRET!, '$argon2id$']) secrets.add(value)
  const register = async (given: object) => await api.inject({ method: 'POST', url: '/users', payload: { ...person, ...given } })
  isProblem(t, await register({}), 409, 'account-taken')
  isProblem(t, await register({ nick_name: 'other' }), 409, 'account-taken')
  isProblem(t, await register({ email: 'canary@example.com ', phone_number: person.cpf.slice(0, 5) }), 400, 'validation-failed')
  isProblem(t, await api.inject({ method: 'POST', url: '/users', payload: JSON.stringify(person).slice(0, -1), headers: { 'content-type': 'application/json' } }), 400, 'bad-request')
  isProblem(t, await api.inject({ method: 'POST', url: '/auth/token', payload: { nick_name: person.nick_name, password: `${person.password}!` } }), 401, 'wrong-credentials')
  isProblem(t, await api.inject({ url: '/orders', headers: { authorization: `${ana.headers.authorization}x` } }), 401, 'token-invalid')
  t.equal((await placeOrder(api, ana)).statusCode, 202)
  await place.pool.query('alter table users add constraint canary check (nick_name <> \'unlucky\')')
  isProblem(t, await register({ nick_name: 'unlucky', cpf: '52998224725' }), 500, 'internal')
  secrets.add('52998224725')
  const open = await shutDatabase(place)
  isProblem(t, await register({ nick_name: 'late' }), 503, 'unavailable')
  await open()
  t.ok(api.lines.some(({ level }) => level === 'error') && api.lines.some(({ level }) => level === 'warn'), 'failures were logged')
  for (const text of everyLine.flat().map((one) => JSON.stringify(one))) {
    for (const secret of secrets) if (text.includes(secret)) t.fail(`"${secret}" in ${text}`)
  }
})

t.test('the OpenAPI description is 3.1 and lists every route of the app', async (t) => {
  const response = await api.inject('/docs/json')
  const { openapi, paths } = response.json<{ openapi: string, paths: Record<string, Record<string, { responses: object }>> }>()
  t.equal(openapi, '3.1.0')
  const described = Object.entries(paths).flatMap(([url, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${url}`))
  const routes = routesOf(api).filter((route) => !route.startsWith('HEAD ') && !/ \/(docs|console$|console\/$|console\/[^s])/.test(route))
  t.ok(routes.includes('GET /orders/{order_id}') && routes.includes('POST /auth/token/renew'), 'this test reads the tree')
  t.strictSame(described.sort(), routes.sort())
  t.notMatch(response.body, /"nullable"/, '3.1 has none')
})

t.test('the documentation answers without anything from elsewhere', async (t) => {
  const page = await api.inject('/docs')
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-type'], 'text/html')
  const assets = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => new URL(url!, 'http://own/docs/'))
  t.ok(assets.length > 2)
  for (const { host, pathname } of assets) t.strictSame([host, (await api.inject(pathname)).statusCode], ['own', 200], pathname)
  const yaml = await api.inject('/docs/yaml')
  t.equal(yaml.statusCode, 200)
  t.match(yaml.body, /^openapi: 3\.1\.0/)
})

t.test('DOCS=off leaves no documentation', async (t) => {
  const app = await startApi(t, place, { DOCS: 'off', AMQP_URL: '', REDIS_URL: '' })
  for (const url of ['/docs', '/docs/', '/docs/json', '/docs/yaml', '/docs/static/index.html']) isProblem(t, await app.inject(url), 404, 'not-found', url)
})

async function listening (t: Test): Promise<{ app: App, port: number }> {
  const app = await startApi(t, place, { AMQP_URL: '', REDIS_URL: '' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, port: (app.server.address() as AddressInfo).port }
}

async function connections (app: App): Promise<number> {
  return await new Promise((resolve, reject) => app.server.getConnections((error, count) => error ? reject(error) : resolve(count)))
}

t.test('a request under way when the api closes is answered, and its connection closed', async (t) => {
  const { app, port } = await listening(t)
  const ana = await newcomer(app)
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const locked = await place.pool.connect()
  await locked.query('begin')
  await locked.query('lock table orders in access exclusive mode')
  const answered = once(request({ port, agent, path: '/orders', headers: ana.headers }).end(), 'response') as Promise<[IncomingMessage]>
  await eventually('it waits for the table', async () => (await place.pool.query('select 1 from pg_locks where not granted')).rowCount! > 0)
  const half = connect(port, '127.0.0.1')
  half.write('GET /livez HTTP/1.1\r\nHost: x\r\n')
  await eventually('the other half of a request is awaited', () => half.bytesWritten > 0 && connections(app).then((count) => count === 2))
  const started = performance.now()
  const closed = app.close()
  await eventually('nobody new is taken', () => !app.server.listening)
  half.write('\r\n')
  const late = (await half.toArray()).join('')
  t.match(late, /^HTTP\/1\.1 200 /, 'and one that only half arrived')
  t.match(late, /connection: close/i)
  await locked.query('commit')
  locked.release()
  const [response] = await answered
  t.equal(response.statusCode, 200)
  t.equal(response.headers.connection, 'close')
  t.strictSame((JSON.parse((await response.toArray()).join('')) as { items: object[] }).items, [])
  await closed
  t.ok(performance.now() - started < limitOf(4000), 'no kept connection holds it')
})

t.test('what is not HTTP is answered as a problem too', async (t) => {
  const { port } = await listening(t)
  const say = async (text: string) => {
    const socket = connect(port, '127.0.0.1').end(text)
    const answer = (await socket.toArray()).join('')
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    t.match(head, /content-type: application\/problem\+json/i)
    t.match(head, /connection: close/i)
    t.match(head, /x-content-type-options: nosniff/i)
    t.match(JSON.parse(body), { type: /^urn:comanda:problem:/, title: /./, status: Number(head.slice(9, 12)), request_id: /./ })
    return head.split('\r\n', 1)[0]
  }
  t.equal(await say('GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n'), 'HTTP/1.1 400 Bad Request', 'no Host')
  t.equal(await say('GET /livez HTTP/1.1\r\nHost: x\r\nhost: y\r\nConnection: close\r\n\r\n'), 'HTTP/1.1 400 Bad Request', 'two of them')
  t.equal(await say('CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n'), 'HTTP/1.1 400 Bad Request', 'no proxy')
  t.equal(await say('GET /livez HTTP/1.1\r\nExpect: wonders\r\nConnection: close\r\n\r\n'), 'HTTP/1.1 400 Bad Request', 'nor with an expectation')
  t.equal(await say('rubbish\r\n\r\n'), 'HTTP/1.1 400 Bad Request')
  t.equal(await say('GET / HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n'), 'HTTP/1.1 400 Bad Request')
  t.equal(await say('POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n'), 'HTTP/1.1 400 Bad Request', 'request smuggling')
  t.equal(await say(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), 'HTTP/1.1 431 Request Header Fields Too Large')
})

t.test('a tunnel that is asked for ends no process by its reset, and is closed by the server where its client does not', async (t) => {
  const { app, port } = await listening(t)
  const tunnel = 'CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n'
  const refused = () => app.lines.filter(({ event, status }) => event === 'request' && status === 400).length
  for (let times = 1; times <= 20; times++) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(tunnel)
    socket.resetAndDestroy()
  }
  const open = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  t.teardown(() => open.destroy())
  open.write(tunnel)
  await once(open.resume(), 'end')
  await eventually('no connection is left', async () => await connections(app) === 0)
  t.ok(refused() > 0)
})
