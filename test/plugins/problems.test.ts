import { readFileSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import type { InjectOptions, Response } from 'light-my-request'
import t from 'tap'
import { park, parkedId } from '../../src/store/parked-events.js'
import { type Problem, type ProblemCode, problems } from '../../src/http/problems.js'
import { type App, boot, isUp, startApi } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { amend, ask, cancel, line, move, newcomer, newOperator, type Person, place as placeOrder, registration } from '../support/people.js'
import { needs, openPlace, shutDatabase } from '../support/place.js'
import { problemTable } from '../support/problem-table.js'
import { isProblem } from '../support/problems.js'
import { openProxy } from '../support/proxy.js'
import { goodClaims, signToken } from '../support/tokens.js'

type Received = Pick<Response, 'statusCode' | 'headers' | 'body'>

const alone = { AMQP_URL: '', REDIS_URL: '' }
const place = await openPlace(t)
const api = await startApi(t, place, alone)
const ana = await newcomer(api)
const unknown = '/orders/0199b2f4-6c1d-7e3a-9b58-2f6f0c1d4e7a'
const now = Math.floor(Date.now() / 1000)

const post = async (url: string, payload: InjectOptions['payload'], headers: Record<string, string> = {}, app = api) => await app.inject({ method: 'POST', url, headers: { ...ana.headers, ...headers }, ...(payload === undefined ? {} : { payload }) })
const get = async (url: string, headers: Record<string, string> = ana.headers, app = api) => await app.inject({ url, headers })
const withToken = (claims: Record<string, unknown>) => ({ authorization: `Bearer ${signToken(place.env.JWT_SECRET!, goodClaims(ana.user_id, claims))}` })
const logIn = async (app: App = api) => await post('/auth/token', { nick_name: ana.nick_name, password: 'not the password' }, {}, app)
const register = async (given: object) => await post('/users', { ...registration(), ...given })

const placed = async () => (await placeOrder(api, ana)).json<{ order_id: string }>().order_id
const hooked = async () => (await post('/webhooks', { url: 'http://127.0.0.1:9' })).json<{ webhook_id: string }>().webhook_id
const parked = async (raw: Buffer, reason = 'not json') => {
  await park(place.pool, [{ source: 'queue', reason, attempts: 1, headers: {}, raw }])
  return parkedId(raw)
}
const settle = async (id: string, verb: 'replay' | 'discard') => await api.inject({ method: 'POST', url: `/parked/${id}/${verb}`, headers: (await newOperator(api, place)).headers })
/** Neither Redis nor the broker can be asked: what they hold is hidden. */
const startBlind = async () => {
  const blind = await boot(t, 'api', { ...place.env, REDIS_URL: 'redis://127.0.0.1:1', AMQP_URL: 'amqp://127.0.0.1:1' })
  await isUp(blind, 'postgres')
  return blind
}

const changePassword = async ({ headers }: Person, password: string, user_id: number | 'me' = 'me') =>
  await api.inject({ method: 'PUT', url: `/users/${user_id}/password`, headers, payload: { password, new_password: 'another long password' } })

/** What a socket is answered that never sends a whole, proper request. */
async function raw (text: string): Promise<Received> {
  const app = await startApi(t, place, alone)
  await app.listen({ port: 0, host: '127.0.0.1' })
  app.server.headersTimeout = 100
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(text)
  const [head = '', body = ''] = (await socket.toArray()).join('').split('\r\n\r\n')
  const [first = '', ...fields] = head.split('\r\n')
  return { statusCode: Number(first.split(' ')[1]), headers: Object.fromEntries(fields.map((field) => [field.split(': ')[0]!.toLowerCase(), field.split(': ')[1]!])), body }
}

async function withoutPostgres (ask: () => Promise<Received>): Promise<Received> {
  const open = await shutDatabase(place)
  try {
    await eventually('the api knows', () => api.health.state('postgres') === 'down')
    return await ask()
  } finally {
    await open()
    await isUp(api, 'postgres')
  }
}

/** How a client meets each problem. A new problem gets its line here. */
const provocations: Record<ProblemCode, () => Promise<Received>> = {
  bad_request: async () => await post('/orders', '{', { 'content-type': 'application/json' }),
  validation_failed: async () => await post('/orders', { ...line, item_quantity: 0 }),
  bad_cursor: async () => await get('/orders?cursor=x'),
  token_missing: async () => await get('/orders', {}),
  token_expired: async () => await get('/orders', withToken({ exp: now - 1 })),
  token_invalid: async () => await get('/orders', withToken({ aud: 'other' })),
  wrong_credentials: async () => await logIn(),
  token_revoked: async () => {
    const person = await newcomer(api)
    await changePassword(person, person.password)
    return await get('/orders', person.headers)
  },
  session_over: async () => await post('/auth/token/renew', undefined, withToken({ auth_time: now - 12 * 3600, exp: now + 30 })),
  forbidden: async () => await get(`/orders?user_id=${ana.user_id + 1}`),
  self_only: async () => await changePassword(await newOperator(api, place), 'any', ana.user_id),
  operator_account: async () => await api.inject({ method: 'DELETE', url: `/users/${(await newOperator(api, place)).user_id}`, headers: (await newOperator(api, place)).headers }),
  wrong_password: async () => await changePassword(ana, 'not the password'),
  not_owner: async () => await ask(api, await newOperator(api, place), amend(await placed(), { item_quantity: 9 })),
  not_found: async () => await get('/nowhere'),
  order_not_found: async () => await get(unknown),
  user_not_found: async () => await get('/users/999999'),
  webhook_not_found: async () => await get('/webhooks/0199b2f4-6c1d-7e3a-9b58-2f6f0c1d4e7a'),
  delivery_not_found: async () => await get(`/webhooks/${await hooked()}/deliveries/7`),
  cross_origin: async () => {
    const { headers: { authorization } } = await newOperator(api, place)
    return await api.inject({ method: 'DELETE', url: '/console/session', headers: { cookie: `comanda_session=${authorization.slice('Bearer '.length)}`, origin: 'https://elsewhere.example' } })
  },
  parked_not_found: async () => await get(`/parked/${'0'.repeat(64)}`, (await newOperator(api, place)).headers),
  job_not_found: async () => await get('/jobs/0199b2f4-6c1d-7e3a-9b58-2f6f0c1d4e7a', (await newOperator(api, place)).headers),
  parked_settled: async () => {
    const id = await parked(Buffer.from('discarded before'))
    await settle(id, 'discard')
    return await settle(id, 'replay')
  },
  parked_unreadable: async () => await settle(await parked(Buffer.from('no order event')), 'replay'),
  parked_forged: async () => await settle(await parked(Buffer.from('of a stranger'), 'forged'), 'replay'),
  endpoint_owner_only: async () => await api.inject({ method: 'POST', url: `/webhooks/${await hooked()}/secret`, headers: (await newOperator(api, place)).headers }),
  bad_endpoint: async () => await post('/webhooks', { url: 'ftp://example.com' }),
  too_many_webhooks: async () => {
    const many = await newcomer(api)
    await place.pool.query("insert into webhooks (webhook_id, user_id, url, secrets, told_after) select gen_random_uuid(), $1, 'http://127.0.0.1:9', '[]', 0 from generate_series(1, 20)", [many.user_id])
    return await post('/webhooks', { url: 'http://127.0.0.1:9' }, many.headers)
  },
  replay_running: async () => {
    const url = `/webhooks/${await hooked()}/replay`
    await post(url, { after: 0 })
    return await post(url, { after: 0 })
  },
  order_not_visible_yet: async () => {
    const blind = await startBlind()
    return await get(unknown, ana.headers, blind)
  },
  method_not_allowed: async () => await api.inject({ method: 'DELETE', url: '/orders' }),
  request_timeout: async () => await raw('GET /livez HTTP/1.1\r\nHost: x\r\n'),
  weak_password: async () => await register({ password: 'baseball' }),
  account_taken: async () => await register({ nick_name: ana.nick_name }),
  illegal_move: async () => await ask(api, await newOperator(api, place), move(await placed(), 'delivered')),
  not_amendable: async () => {
    const id = await placed()
    await ask(api, ana, cancel(id))
    return await ask(api, ana, amend(id, { item_quantity: 9 }))
  },
  lost_race: async () => {
    const cached = await startApi(t, place, { AMQP_URL: '' })
    const id = await placed()
    await cached.changeLocks!.take(id, 2, 'another event')
    return await ask(cached, ana, amend(id, { item_quantity: 9 }))
  },
  stale: async () => await ask(api, ana, cancel(await placed()), { 'if-match': '"9"' }),
  payload_too_large: async () => await post('/orders', { ...line, item_description: 'x'.repeat(70_000) }),
  unsupported_media_type: async () => await post('/orders', 'x', { 'content-type': 'text/plain' }),
  too_many_requests: async () => {
    const limited = await startApi(t, place, { ...alone, LOGIN_LIMIT: '1' })
    await logIn(limited)
    return await logIn(limited)
  },
  too_many_streams: async () => {
    for (let listener = 0; listener < 20; listener++) api.listeners.enter({ user_id: ana.user_id, role: 'customer', epoch: 0 }, 5000)
    return await get('/events?wait=1&after=now')
  },
  export_running: async () => {
    await api.counts.take([{ key: `export:${ana.user_id}`, most: 1 }], 60_000)
    return await get('/users/me/export')
  },
  too_many_orders: async () => {
    const limited = await startApi(t, place, { ...alone, ORDERS_PER_MINUTE: '1' })
    await placeOrder(limited, ana)
    return await placeOrder(limited, ana)
  },
  key_reused: async () => {
    const cached = await startApi(t, place, { AMQP_URL: '' })
    const key = { 'idempotency-key': 'used' }
    await placeOrder(cached, ana, line, key)
    return await placeOrder(cached, ana, { ...line, item_quantity: 9 }, key)
  },
  headers_too_large: async () => await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
  internal: async () => {
    await place.pool.query('alter table users add constraint unlucky check (nick_name <> \'unlucky\')')
    return await register({ nick_name: 'unlucky' })
  },
  not_storable: async () => {
    await place.pool.query(`create function refuse_value() returns trigger language plpgsql as $$ begin raise exception 'too long' using errcode = '22001'; end $$;
      create trigger unlucky_value before insert on users for each row when (new.nick_name = 'unstorable') execute function refuse_value()`)
    return await register({ nick_name: 'unstorable' })
  },
  unavailable: async () => await withoutPostgres(logIn),
  busy: async () => {
    const answers = await Promise.all(Array.from({ length: 80 }, async () => await logIn()))
    return answers.find(({ statusCode }) => statusCode === 503)!
  },
  version_not_visible_yet: async () => {
    const blind = await startBlind()
    return await ask(blind, ana, cancel(await placed()), { 'if-match': '"9"' })
  },
  not_accepted: async () => await withoutPostgres(async () => await placeOrder(api, ana)),
  outcome_unknown: async () => {
    const proxy = await openProxy(t, place.env.DATABASE_URL!)
    const muted = await startApi(t, place, { ...alone, DATABASE_URL: proxy.url })
    proxy.mode = 'mute'
    const answer = await placeOrder(muted, ana)
    proxy.cut()
    return answer
  }
}

for (const [code, { status, title, retryAfter }] of Object.entries(problems) as Array<[ProblemCode, Problem]>) {
  t.test(`${code} is met as it is described`, ['lost_race', 'key_reused'].includes(code) ? needs('redis') : {}, async (t) => {
    const provoke = provocations[code] as typeof provocations[ProblemCode] | undefined
    if (!provoke) throw new Error('nothing here provokes it')
    const received = await provoke()
    t.match(isProblem(t, received, status, code.replaceAll('_', '-')), { title })
    const wait = received.headers['retry-after']
    if (retryAfter === undefined) t.equal(wait, undefined, 'no Retry-After')
    else t.ok(Number(wait) >= 1 && Number(wait) <= retryAfter, `Retry-After: ${wait}`)
  })
}

t.test('docs/errors.md tells every problem, as the code does', async (t) => {
  const table = /\|---\|.*\n([\s\S]*)$/.exec(readFileSync('docs/errors.md', 'utf8'))?.[1]
  t.equal(table, `${problemTable()}\n`)
})
