import { randomUUID } from 'node:crypto'
import type { Response } from 'light-my-request'
import t from 'tap'
import type { OrderStatus } from '../../src/orders/status.js'
import { serializeEvent } from '../../src/orders/envelope.js'
import { park, parkedId } from '../../src/store/parked-events.js'
import { startApi, startWorker } from '../support/apps.js'
import { placement } from '../support/events.js'
import { booked, line, move, newcomer, newOperator, type Person, place as placeOrder, reads, registration, ask, type Shown } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'

/**
 * Who may do what, on every route there is: a route without its lines here fails the last test. An answer is a status; where
 * several problems have it, the problem too. `hidden` is 404 without a word on whether the thing exists.
 */
const place = await openPlace(t)
const api = await startApi(t, place)
const [owner, stranger, operator] = [await newcomer(api), await newcomer(api), await newOperator(api, place)]
const callers: Record<string, Person | null> = { owner, stranger, operator, nobody: null }
type Expected = Record<'owner' | 'stranger' | 'operator' | 'nobody', string>
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

const seen = new Set<string>()
const send = async (method: Method, path: string, person: Person | null, payload?: object): Promise<Response> =>
  await api.inject({ method, url: path, ...(person ? { headers: person.headers } : {}), ...(payload ? { payload } : {}) })
const outcome = (response: Response): string => {
  if (response.statusCode < 400) return String(response.statusCode)
  const code = response.json<{ type: string }>().type.split(':').at(-1)!
  return ['order-not-found', 'user-not-found', 'webhook-not-found'].includes(code) ? 'hidden' : `${response.statusCode} ${code}`
}
const TOKENLESS = '401 token-missing'

const states: OrderStatus[] = ['accepted', 'confirmed', 'paid', 'shipped', 'delivered', 'cancelled']
const PATHS: Partial<Record<OrderStatus, string[]>> = { paid: ['paid'], shipped: ['paid', 'shipped'], delivered: ['paid', 'shipped', 'delivered'], cancelled: ['cancelled'] }
/** From within a test: tap ends a file whose tests are through while it still awaits at the top. */
let working = false
const startBooking = async () => { working ||= await startWorker(t, place).then(() => true) }

/** A fresh order of the owner's in this state. */
async function orderIn (state: OrderStatus): Promise<string> {
  if (state === 'accepted') return (await placeOrder(api, owner)).json<Shown>().order_id
  const { order_id: id } = await booked(api, owner)
  for (const status of PATHS[state] ?? []) await ask(api, operator, move(id, status))
  await reads(api, owner, id, state)
  return id
}

const amendable = ['accepted', 'confirmed']
const cancellable = ['accepted', 'confirmed', 'paid', 'cancelled']
const NEXT: Partial<Record<OrderStatus, string>> = { confirmed: 'paid', paid: 'shipped', shipped: 'delivered' }
const byOrder: Array<[route: string, payload: ((state: OrderStatus) => object) | null, expected: (state: OrderStatus) => Expected]> = [
  ['GET /orders/:order_id', null, () => ({ owner: '200', stranger: 'hidden', operator: '200', nobody: TOKENLESS })],
  ['GET /orders/:order_id/events', null, () => ({ owner: '200', stranger: 'hidden', operator: '200', nobody: TOKENLESS })],
  ['PATCH /orders/:order_id', () => ({ item_quantity: 77 }), (state) => ({ owner: amendable.includes(state) ? '202' : '409 not-amendable', stranger: 'hidden', operator: '403 not-owner', nobody: TOKENLESS })],
  ['DELETE /orders/:order_id', null, (state) => {
    const able = cancellable.includes(state) ? '202' : '409 illegal-move'
    return { owner: able, stranger: 'hidden', operator: able, nobody: TOKENLESS }
  }],
  ...(['paid', 'shipped', 'delivered', 'cancelled'] as const).map((to): typeof byOrder[number] => ['PUT /orders/:order_id/status', () => ({ status: to }), (state) => {
    const able = state === to || NEXT[state] === to || (to === 'cancelled' && cancellable.includes(state))
    return { owner: '403 forbidden', stranger: '403 forbidden', operator: able ? '202' : '409 illegal-move', nobody: TOKENLESS }
  }])
]

for (const state of states) {
  t.test(`an order that is ${state}: who may do what`, state === 'accepted' ? needs('redis', 'rabbitmq') : {}, async (t) => {
    if (state !== 'accepted') await startBooking()
    let id = await orderIn(state)
    for (const [route, payload, expected] of byOrder) {
      seen.add(route)
      const [method, path] = route.split(' ') as [Method, string]
      for (const [name, answer] of Object.entries(expected(state))) {
        const response = await send(method, path.replace(':order_id', id), callers[name]!, payload?.(state))
        t.equal(outcome(response), answer, `${name}: ${route} ${JSON.stringify(payload?.(state) ?? '')}`)
        const after = (await send('GET', `/orders/${id}`, operator)).json<Shown>()
        if (response.statusCode >= 400) t.match(after, { status: state, version: (PATHS[state]?.length ?? 0) + 1, item_quantity: line.item_quantity }, 'and nothing changed')
        if (response.statusCode === 202) id = await orderIn(state)
      }
    }
  })
}

t.test('an order that does not exist looks the same to everybody', async (t) => {
  for (const [route, payload] of byOrder) {
    const [method, path] = route.split(' ') as [Method, string]
    for (const person of [owner, operator]) {
      const expected = method === 'PUT' && person === owner ? '403 forbidden' : 'hidden'
      t.equal(outcome(await send(method, path.replace(':order_id', randomUUID()), person, payload?.('confirmed'))), expected, route)
    }
  }
})

const byUser: Array<[route: string, payload: object | null, expected: Expected]> = [
  ['GET /users/:user_id', null, { owner: '200', stranger: 'hidden', operator: '200', nobody: TOKENLESS }],
  ['PATCH /users/:user_id', { full_name: 'Bia' }, { owner: '200', stranger: 'hidden', operator: '200', nobody: TOKENLESS }],
  ['GET /users/:user_id/orders', null, { owner: '200', stranger: 'hidden', operator: '200', nobody: TOKENLESS }],
  ['PUT /users/:user_id/password', { password: 'not the password', new_password: 'another long password' }, { owner: '403 wrong-password', stranger: 'hidden', operator: '403 self-only', nobody: TOKENLESS }],
  ['DELETE /users/:user_id', { password: 'correct horse battery' }, { owner: '204', stranger: 'hidden', operator: '204', nobody: TOKENLESS }]
]
for (const state of ['active', 'erased', 'unknown'] as const) {
  t.test(`a user who is ${state}: who may do what`, async (t) => {
    for (const [route, payload, expected] of byUser) {
      seen.add(route)
      const [method, path] = route.split(' ') as [Method, string]
      for (const [name, answer] of Object.entries(expected)) {
        const person = await newcomer(api)
        if (state === 'erased') t.equal((await send('DELETE', '/users/me', person, { password: person.password })).statusCode, 204)
        const caller = name === 'owner' ? person : callers[name]!
        const id = state === 'unknown' ? person.user_id + 1_000_000 : person.user_id
        const response = await send(method, path.replace(':user_id', String(id)), caller, payload ?? undefined)
        t.equal(outcome(response), inState(state, route, name, answer), `${name}: ${route}`)
      }
    }
  })
}

function inState (state: 'active' | 'erased' | 'unknown', route: string, name: string, answer: string): string {
  if (state === 'active' || name === 'nobody') return answer
  if (name === 'owner') return state === 'erased' ? '401 token-revoked' : 'hidden'
  // Operators still read the orders of an erased user, for the books; erasing again is safe.
  if (name === 'operator' && state === 'erased' && ['GET /users/:user_id/orders', 'DELETE /users/:user_id'].includes(route)) return answer === '204' ? '204' : '200'
  return name === 'operator' && route.startsWith('PUT') ? '403 self-only' : 'hidden'
}

const byWebhook: Array<[route: string, payload: object | null, expected: Expected]> = [
  ['GET /webhooks/:webhook_id', null, { owner: '200', stranger: 'hidden', operator: '200', nobody: TOKENLESS }],
  ['PATCH /webhooks/:webhook_id', { enabled: false }, { owner: '200', stranger: 'hidden', operator: '200', nobody: TOKENLESS }],
  ['PATCH /webhooks/:webhook_id', { url: 'http://127.0.0.1:9' }, { owner: '200', stranger: 'hidden', operator: '403 endpoint-owner-only', nobody: TOKENLESS }],
  ['PATCH /webhooks/:webhook_id', { types: null }, { owner: '200', stranger: 'hidden', operator: '403 endpoint-owner-only', nobody: TOKENLESS }],
  ['POST /webhooks/:webhook_id/secret', null, { owner: '200', stranger: 'hidden', operator: '403 endpoint-owner-only', nobody: TOKENLESS }],
  ['POST /webhooks/:webhook_id/test', null, { owner: '202', stranger: 'hidden', operator: '403 endpoint-owner-only', nobody: TOKENLESS }],
  ['GET /webhooks/:webhook_id/deliveries', null, { owner: '200', stranger: 'hidden', operator: '200', nobody: TOKENLESS }],
  ['GET /webhooks/:webhook_id/deliveries/:delivery_id', null, { owner: '200', stranger: 'hidden', operator: '200', nobody: TOKENLESS }],
  ['POST /webhooks/:webhook_id/deliveries/:delivery_id/replay', null, { owner: '202', stranger: 'hidden', operator: '202', nobody: TOKENLESS }],
  ['POST /webhooks/:webhook_id/replay', { after: 0 }, { owner: '202', stranger: 'hidden', operator: '202', nobody: TOKENLESS }],
  ['DELETE /webhooks/:webhook_id', null, { owner: '204', stranger: 'hidden', operator: '204', nobody: TOKENLESS }]
]

t.test('a webhook: who may do what', async (t) => {
  for (const [route, payload, expected] of byWebhook) {
    seen.add(route)
    const [method, path] = route.split(' ') as [Method, string]
    for (const [name, answer] of Object.entries(expected)) {
      const { webhook_id: id } = (await send('POST', '/webhooks', owner, { url: 'http://127.0.0.1:9' })).json<{ webhook_id: string }>()
      const { rows: [ping] } = await place.pool.query<{ delivery_id: string }>("insert into webhook_deliveries (webhook_id, message_id, type) values ($1, gen_random_uuid()::text, 'comanda.ping') returning delivery_id", [id])
      const of = (method: Method, path: string) => [method, path.replace(':webhook_id', id).replace(':delivery_id', ping!.delivery_id)] as const
      t.equal(outcome(await send(...of(method, path), callers[name]!, payload ?? undefined)), answer, `${name}: ${route} ${JSON.stringify(payload)}`)
      await send('DELETE', `/webhooks/${id}`, owner)
      t.equal(outcome(await send(...of(method, path), name === 'nobody' ? null : owner, payload ?? undefined)), name === 'nobody' ? TOKENLESS : 'hidden', `removed: ${route}`)
    }
  }
})

t.test('a list of webhooks shows customers their own, operators all, and of others no more than the origin', async (t) => {
  const { webhook_id: id } = (await send('POST', '/webhooks', owner, { url: 'http://127.0.0.1:9/a-path-like-a-password?key=1' })).json<{ webhook_id: string }>()
  const listed = async (person: Person) => (await send('GET', '/webhooks?limit=100', person)).json<{ items: Array<{ webhook_id: string, url: string }> }>().items.find(({ webhook_id }) => webhook_id === id)?.url
  t.equal(await listed(owner), 'http://127.0.0.1:9/a-path-like-a-password?key=1')
  t.equal(await listed(stranger), undefined)
  t.equal(await listed(operator), 'http://127.0.0.1:9')
  t.equal((await send('GET', `/webhooks/${id}`, operator)).json<{ url: string }>().url, 'http://127.0.0.1:9')
})

/** A fresh parked event, of which nothing was made yet. */
async function parked (): Promise<string> {
  const raw = Buffer.from(serializeEvent(placement(owner.user_id)).json)
  await park(place.pool, [{ source: 'queue', reason: 'unknown_user', attempts: 1, headers: {}, raw }])
  return parkedId(raw)
}

const FOR_OPERATORS = { owner: '403 forbidden', stranger: '403 forbidden', nobody: TOKENLESS }
const ofOperators: Array<[route: string, payload: object | null, answer: string]> = [
  ['GET /parked', null, '200'],
  ['GET /parked/groups', null, '200'],
  ['GET /parked/:parked_id', null, '200'],
  ['POST /parked/:parked_id/replay', null, '200'],
  ['POST /parked/:parked_id/discard', null, '200'],
  ['POST /parked/replay', { text: 'nowhere' }, '202'],
  ['POST /parked/discard', { text: 'nowhere' }, '202'],
  ['GET /jobs', null, '200'],
  ['GET /jobs/:job_id', null, '200'],
  ['POST /jobs/:job_id/cancel', null, '200'],
  ['GET /actions', null, '200'],
  ['GET /overview', null, '200'],
  ['PUT /users/:user_id/role', { role: 'operator', password: operator.password }, '200']
]
for (const [route, payload, answer] of ofOperators) {
  t.test(`${route}: operators alone, by token and by cookie`, async (t) => {
    seen.add(route)
    const { job_id: job } = (await send('POST', '/parked/replay', operator, { text: 'nowhere' })).json<{ job_id: string }>()
    const [method, path] = route.split(' ') as [Method, string]
    const target = async () => path.replace(':parked_id', await parked()).replace(':job_id', job).replace(':user_id', String((await newcomer(api)).user_id))
    for (const [name, expected] of Object.entries({ ...FOR_OPERATORS, operator: answer })) {
      const person = callers[name]
      t.equal(outcome(await send(method, await target(), person ?? null, payload ?? undefined)), expected, name)
      if (!person) continue
      const headers = { cookie: `comanda_session=${person.headers.authorization.slice('Bearer '.length)}`, host: 'shop.example', origin: 'https://shop.example' }
      t.equal(outcome(await api.inject({ method, url: await target(), headers, ...(payload ? { payload } : {}) })), expected, `${name}, by cookie`)
    }
  })
}

const others: Array<[route: string, payload: (() => object) | null, expected: Expected]> = [
  ['POST /orders', () => line, { owner: '202', stranger: '202', operator: '202', nobody: TOKENLESS }],
  ['POST /orders/batch', () => [line], { owner: '207', stranger: '207', operator: '207', nobody: TOKENLESS }],
  ['GET /orders', null, { owner: '200', stranger: '200', operator: '200', nobody: TOKENLESS }],
  ['POST /webhooks', () => ({ url: 'http://127.0.0.1:9' }), { owner: '201', stranger: '201', operator: '201', nobody: TOKENLESS }],
  ['GET /webhooks', null, { owner: '200', stranger: '200', operator: '200', nobody: TOKENLESS }],
  ['GET /events', null, { owner: '200', stranger: '200', operator: '200', nobody: TOKENLESS }],
  ['GET /users', null, { owner: '403 forbidden', stranger: '403 forbidden', operator: '200', nobody: TOKENLESS }],
  ['GET /users/me/export', null, { owner: '200', stranger: '200', operator: '200', nobody: TOKENLESS }],
  ['POST /users', registration, { owner: '201', stranger: '201', operator: '201', nobody: '201' }],
  ['POST /auth/token', () => ({ nick_name: owner.nick_name, password: owner.password }), { owner: '200', stranger: '200', operator: '200', nobody: '200' }],
  ['POST /auth/token/renew', null, { owner: '200', stranger: '200', operator: '200', nobody: TOKENLESS }],
  ['GET /livez', null, { owner: '200', stranger: '200', operator: '200', nobody: '200' }],
  ['GET /readyz', null, { owner: '200', stranger: '200', operator: '200', nobody: '200' }],
  ['GET /metrics', null, { owner: '200', stranger: '200', operator: '200', nobody: '200' }]
]
for (const [route, payload, expected] of others) {
  t.test(`${route}: who may`, async (t) => {
    seen.add(route)
    const [method, path] = route.split(' ') as [Method, string]
    for (const [name, answer] of Object.entries(expected)) t.equal(outcome(await send(method, path, callers[name]!, payload?.())), answer, name)
  })
}

t.test('the console: operators alone begin a session there, and it ends as a token does', async (t) => {
  for (const route of ['POST /console/session', 'GET /console/session', 'POST /console/session/renew', 'DELETE /console/session']) seen.add(route)
  const ours = { host: 'shop.example', origin: 'https://shop.example' }
  const begin = async ({ nick_name, password }: Person, headers: Record<string, string> = ours): Promise<Response> => await api.inject({ method: 'POST', url: '/console/session', headers, payload: { nick_name, password } })
  t.equal(outcome(await begin(owner)), '403 forbidden')
  t.equal(outcome(await begin(await newOperator(api, place), { ...ours, origin: 'https://elsewhere.example' })), '403 cross-origin')
  t.equal(outcome(await send('GET', '/console/session', null)), '204')
  for (const route of ['POST /console/session/renew', 'DELETE /console/session']) t.equal(outcome(await send(...route.split(' ') as [Method, string], null)), TOKENLESS, route)
  const person = await newOperator(api, place)
  const answer = await begin(person)
  t.equal(outcome(answer), '200')
  const cookie = String(answer.headers['set-cookie']).split(';')[0]!
  const by = async (method: Method, url: string) => outcome(await api.inject({ method, url, headers: { ...ours, cookie } }))
  t.equal(await by('GET', '/console/session'), '200')
  t.equal(await by('POST', '/console/session/renew'), '200')
  t.equal(await by('DELETE', '/console/session'), '204')
  t.equal(await by('GET', '/console/session'), '204')
  t.equal(await by('GET', '/overview'), '401 token-revoked')
  t.equal(outcome(await send('GET', '/users/me', person)), '401 token-revoked', 'signed out everywhere')
})

t.test('DELETE /auth/token: who may, and whose sessions it ends', async (t) => {
  seen.add('DELETE /auth/token')
  for (const person of [await newcomer(api), await newOperator(api, place)]) {
    t.equal(outcome(await send('DELETE', '/auth/token', person)), '204')
    t.equal(outcome(await send('DELETE', '/auth/token', person)), '401 token-revoked')
  }
  t.equal(outcome(await send('DELETE', '/auth/token', null)), TOKENLESS)
  t.equal(outcome(await send('GET', '/users/me', owner)), '200')
})

t.test('a list shows nobody what is not theirs', async (t) => {
  const mine = await booked(api, owner)
  const items = async (person: Person, query = '') => (await send('GET', `/orders?limit=100${query}`, person)).json<{ items?: Array<{ user_id: number }> }>().items
  t.ok((await items(owner))!.every(({ user_id }) => user_id === owner.user_id))
  t.notOk((await items(stranger))!.some(({ user_id }) => user_id === owner.user_id))
  t.ok((await items(operator))!.some(({ user_id }) => user_id === mine.user_id))
  t.equal(outcome(await send('GET', `/orders?user_id=${owner.user_id}`, stranger)), '403 forbidden')
})

t.test('the feed tells customers of their own orders alone, operators of all, and no stranger of an order by name', async (t) => {
  const mine = await booked(api, owner)
  const told = async (person: Person, query = '') => (await send('GET', `/events?${query}`, person)).json<{ items?: Array<{ data: { order: { user_id: number } } }> }>().items!.map(({ data }) => data.order.user_id)
  await startBooking()
  t.ok((await told(owner)).every((user_id) => user_id === owner.user_id))
  t.notOk((await told(stranger)).includes(owner.user_id))
  t.ok((await told(operator, `order_id=${mine.order_id}`)).includes(owner.user_id))
  t.equal(outcome(await send('GET', `/events?order_id=${mine.order_id}`, stranger)), 'hidden')
})

t.test('every route that there is stands in these tables', async (t) => {
  const { paths } = api.swagger() as { paths: Record<string, Record<string, unknown>> }
  const routes = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`))
  t.strictSame(routes.sort(), [...seen].sort())
})
