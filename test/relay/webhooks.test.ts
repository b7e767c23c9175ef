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
await startRelay(t, place, env)
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
