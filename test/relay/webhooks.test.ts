import { Webhook } from 'standardwebhooks'
import t, { type Test } from 'tap'
import { startApi, startRelay, startWorker } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { amend, ask, booked, move, newcomer, newOperator, type Person } from '../support/people.js'
import { openPlace } from '../support/place.js'
import { type Call, openReceiver } from '../support/receiver.js'

const place = await openPlace(t)
const env = { AMQP_URL: '' }
const api = await startApi(t, place, env)
await startWorker(t, place, env)
const relay = await startRelay(t, place, env)
const [ana, bia] = [await newcomer(api), await newcomer(api)]
const operator = await newOperator(api, place)

interface Shown { webhook_id: string, secret: string, state: string, url: string, replaying: object | null, warning?: string }
interface Delivery { delivery_id: number, state: string, message_id: string, attempts: Array<{ status: number | null, failure: string | null }>, next_attempt_at: string | null }

const post = async (person: Person, url: string, payload?: object) => await api.inject({ method: 'POST', url, headers: person.headers, ...(payload ? { payload } : {}) })
const get = async <T>(person: Person, url: string): Promise<T> => (await api.inject({ url, headers: person.headers })).json<T>()
const register = async (t: Test, person: Person, url: string, more: object = {}): Promise<Shown> => {
  const hook = (await post(person, '/webhooks', { url, ...more })).json<Shown>()
  t.teardown(async () => await api.inject({ method: 'DELETE', url: `/webhooks/${hook.webhook_id}`, headers: person.headers }))
  return hook
}
const deliveries = async (person: Person, { webhook_id }: Shown): Promise<Delivery[]> => (await get<{ items: Delivery[] }>(person, `/webhooks/${webhook_id}/deliveries?limit=100`)).items
const verified = (t: Test, secret: string, calls: readonly Call[]) => {
  for (const { body, headers } of calls) t.doesNotThrow(() => new Webhook(secret).verify(body, headers))
}
const came = async (calls: readonly Call[], count: number) => await eventually(`${count} calls came`, () => calls.length >= count)

t.test('a customer is called for each of their own orders\' events, signed, in the order of the versions; an operator for all', async (t) => {
  const [own, all] = [await openReceiver(t), await openReceiver(t)]
  const hook = await register(t, ana, `${own.url}/comanda`)
  const every = await register(t, operator, all.url)
  const { order_id } = await booked(api, ana)
  await booked(api, bia)
  await ask(api, ana, amend(order_id, { item_quantity: 5 }))
  await ask(api, operator, move(order_id, 'paid'))
  await came(own.calls, 3)
  await came(all.calls, 4)
  t.strictSame(own.calls.map(({ event }) => event.type), ['comanda.order.confirmed', 'comanda.order.amended', 'comanda.order.paid'])
  t.strictSame(new Set(own.calls.map(({ event }) => event.data.order?.user_id)), new Set([ana.user_id]))
  t.match(own.calls[0], { path: '/comanda', headers: { 'content-type': 'application/cloudevents+json', 'webhook-id': own.calls[0]!.event.id } })
  verified(t, hook.secret, own.calls)
  verified(t, every.secret, all.calls)
  t.throws(() => new Webhook(every.secret).verify(own.calls[0]!.body, own.calls[0]!.headers), 'another\'s secret')
  await eventually('all is recorded', async () => (await deliveries(ana, hook)).every(({ state }) => state === 'delivered'))
  t.match(await deliveries(ana, hook), [{ attempts: [{ status: 204, failure: null }], next_attempt_at: null }, {}, {}])
})

t.test('types are chosen, and changed: what is not wanted is no delivery', async (t) => {
  const receiver = await openReceiver(t)
  const hook = await register(t, ana, receiver.url, { types: ['comanda.order.paid'] })
  const first = await booked(api, ana)
  await ask(api, operator, move(first.order_id, 'paid'))
  await came(receiver.calls, 1)
  await api.inject({ method: 'PATCH', url: `/webhooks/${hook.webhook_id}`, headers: ana.headers, payload: { types: null } })
  await booked(api, ana)
  await came(receiver.calls, 2)
  t.strictSame(receiver.calls.map(({ event }) => event.type), ['comanda.order.paid', 'comanda.order.confirmed'])
})

t.test('a secret is rotated under load: every call verifies by the one that its receiver has, for a day by the old one too', async (t) => {
  const receiver = await openReceiver(t)
  const hook = await register(t, ana, receiver.url)
  const load = (async () => { for (let order = 0; order < 12; order++) await booked(api, ana) })()
  await came(receiver.calls, 3)
  const rotated = (await post(ana, `/webhooks/${hook.webhook_id}/secret`)).json<{ secret: string }>()
  await load
  await came(receiver.calls, 12)
  t.not(rotated.secret, hook.secret)
  verified(t, hook.secret, receiver.calls)
  const both = receiver.calls.filter(({ headers }) => headers['webhook-signature']!.includes(' '))
  t.ok(both.length >= 2, 'both sign')
  verified(t, rotated.secret, both)
  await place.pool.query("update webhooks set secrets = jsonb_set(secrets, '{1,until}', to_jsonb(now() - interval '1 s')) where webhook_id = $1", [hook.webhook_id])
  const before = receiver.calls.length
  await booked(api, ana)
  await came(receiver.calls, before + 1)
  t.throws(() => new Webhook(hook.secret).verify(receiver.calls.at(-1)!.body, receiver.calls.at(-1)!.headers), 'after a day it signs no more')
  verified(t, rotated.secret, receiver.calls.slice(-1))
})

t.test('a failed delivery is tried again under its id, with the moment of the attempt; those of its order wait for it, others do not', async (t) => {
  let refuse = true
  const receiver = await openReceiver(t, (response, call) => { response.writeHead(refuse && call.event.orderversion === 1 ? 500 : 200).end() })
  const hook = await register(t, ana, receiver.url, { types: ['comanda.order.confirmed', 'comanda.order.amended'] })
  const held = await booked(api, ana)
  await came(receiver.calls, 1)
  await ask(api, ana, amend(held.order_id, { item_quantity: 7 }))
  await eventually('the amendment is due', async () => (await deliveries(ana, hook)).length === 2)
  t.match((await deliveries(ana, hook))[1], { state: 'due', attempts: [{ status: 500, failure: 'status' }] })
  refuse = false
  const other = await booked(api, ana)
  await eventually('another order\'s event came', () => receiver.calls.some(({ event }) => event.subject === other.order_id))
  t.equal(receiver.calls.some(({ event }) => event.type === 'comanda.order.amended'), false)
  await eventually('it is tried again after five seconds', () => receiver.calls.some(({ event }) => event.type === 'comanda.order.amended'))
  const of = receiver.calls.filter(({ event }) => event.subject === held.order_id)
  t.strictSame(of.map(({ event }) => event.orderversion), [1, 1, 2])
  t.equal(of[0]!.headers['webhook-id'], of[1]!.headers['webhook-id'])
  t.ok(Number(of[1]!.headers['webhook-timestamp']) - Number(of[0]!.headers['webhook-timestamp']) >= 5)
  verified(t, hook.secret, receiver.calls)
})

t.test('410 disables, a delivery waits, and is made when the webhook is enabled again', async (t) => {
  let gone = true
  const receiver = await openReceiver(t, (response) => { response.writeHead(gone ? 410 : 200).end() })
  const hook = await register(t, ana, receiver.url)
  await booked(api, ana)
  const state = async () => await get<Shown & { disabled_reason: string }>(ana, `/webhooks/${hook.webhook_id}`)
  await eventually('it is disabled', async () => (await state()).state === 'disabled')
  t.match(await state(), { disabled_reason: 'gone', disabled_at: String, failing_since: String })
  t.match(relay.lines.filter(({ event, webhook_id }) => event === 'webhook_disabled' && webhook_id === hook.webhook_id), [{ level: 'warn', reason: 'gone' }], 'once')
  gone = false
  const waiting = await booked(api, ana)
  await eventually('it waits', async () => (await deliveries(ana, hook)).length === 2)
  t.equal(receiver.calls.length, 1)
  await api.inject({ method: 'PATCH', url: `/webhooks/${hook.webhook_id}`, headers: ana.headers, payload: { enabled: true } })
  await eventually('it came', () => receiver.calls.some(({ event }) => event.subject === waiting.order_id))
  t.match(await state(), { state: 'enabled', disabled_reason: null, failing_since: null })
})

t.test('a test call comes once, signed, to a disabled webhook too', async (t) => {
  const receiver = await openReceiver(t, (response) => { response.writeHead(500).end() })
  const hook = await register(t, ana, receiver.url)
  await api.inject({ method: 'PATCH', url: `/webhooks/${hook.webhook_id}`, headers: ana.headers, payload: { enabled: false } })
  const { headers } = await post(ana, `/webhooks/${hook.webhook_id}/test`)
  const read = async () => await get<Delivery>(ana, headers.location as string)
  await eventually('it is settled', async () => (await read()).state === 'given_up')
  t.match(await read(), { type: 'comanda.ping', position: null, attempts: [{ status: 500 }] })
  t.match(receiver.calls, [{ event: { type: 'comanda.ping', data: {} } }])
  verified(t, hook.secret, receiver.calls)
  t.match(await get(ana, `/webhooks/${hook.webhook_id}`), { failing_since: null })
})

t.test('one delivery is replayed, and a part of the feed, of before the webhook too; each under its id', async (t) => {
  const receiver = await openReceiver(t)
  const early = [await booked(api, bia), await booked(api, bia)]
  const hook = await register(t, bia, receiver.url)
  await booked(api, bia)
  await came(receiver.calls, 1)
  await eventually('it is recorded', async () => (await deliveries(bia, hook))[0]?.state === 'delivered')
  const [only] = await deliveries(bia, hook)
  t.equal((await post(bia, `/webhooks/${hook.webhook_id}/deliveries/${only!.delivery_id}/replay`)).statusCode, 202)
  await came(receiver.calls, 2)
  t.equal(receiver.calls[1]!.headers['webhook-id'], only!.message_id)
  t.match((await post(bia, `/webhooks/${hook.webhook_id}/replay`, { after: 0 })).json(), { replaying: { after: 0 } })
  await eventually('it is over', async () => (await get<Shown>(bia, `/webhooks/${hook.webhook_id}`)).replaying === null)
  await came(receiver.calls, 5 + 1)
  for (const { order_id } of early) t.ok(receiver.calls.some(({ event }) => event.subject === order_id))
  t.strictSame(new Set(receiver.calls.map(({ event }) => event.data.order?.user_id)), new Set([bia.user_id]), 'of nobody else\'s orders')
  const all = (await deliveries(bia, hook)).length
  const { position } = (await get<{ items: Array<{ position: number }> }>(bia, `/webhooks/${hook.webhook_id}/deliveries?limit=1`)).items[0]!
  await post(bia, `/webhooks/${hook.webhook_id}/replay`, { after: position - 1, before: position })
  await eventually('it is over', async () => (await get<Shown>(bia, `/webhooks/${hook.webhook_id}`)).replaying === null)
  t.equal((await deliveries(bia, hook)).length, all, 'nothing stands before it and behind that')
})

t.test('an erased user is called no more, and where they were is forgotten', async (t) => {
  const receiver = await openReceiver(t, (response) => { response.writeHead(500).end() })
  const gone = await newcomer(api)
  const hook = await register(t, gone, `${receiver.url}/their-address`)
  await booked(api, gone)
  await came(receiver.calls, 1)
  await api.inject({ method: 'DELETE', url: '/users/me', headers: gone.headers, payload: { password: gone.password } })
  const { rows } = await place.pool.query<{ row: string }>('select row_to_json(webhooks)::text as row from webhooks where webhook_id = $1', [hook.webhook_id])
  t.notMatch(rows[0]?.row ?? '', /their-address|whsec|sealed/)
  await place.pool.query("update webhook_deliveries set next_attempt_at = now() where webhook_id = $1 and state = 'due'", [hook.webhook_id])
  const canary = await openReceiver(t)
  await register(t, ana, canary.url)
  await booked(api, ana)
  await came(canary.calls, 1)
  t.equal(receiver.calls.length, 1)
})

t.test('an operator who is one no more is told of their own orders alone, also of what was due', async (t) => {
  let away = true
  const receiver = await openReceiver(t, (response) => { response.writeHead(away ? 500 : 200).end() })
  const former = await newOperator(api, place)
  const hook = await register(t, former, receiver.url)
  await booked(api, ana)
  await came(receiver.calls, 1)
  await place.pool.query("update users set role = 'customer' where user_id = $1", [former.user_id])
  away = false
  await booked(api, bia)
  await eventually('what was due is given up', async () => (await place.pool.query("select from webhook_deliveries where webhook_id = $1 and state = 'given_up' and attempts @> '[{\"failure\": \"not_allowed\"}]'", [hook.webhook_id])).rowCount === 1)
  t.equal(receiver.calls.length, 1)
})
