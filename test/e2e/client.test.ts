import t from 'tap'
import { createClient } from '../../clients/typescript/src/client/index.js'
import { amendOrder, cancelOrder, changePassword, eraseUser, exportUser, getOrder, getUser, listOrderEvents, listOrders, listUserOrders, listUsers, logIn, moveOrder, placeOrder, placeOrders, register, renewToken } from '../../clients/typescript/src/index.js'
import { contractFetch } from '../support/contract.js'
import { eventually } from '../support/eventually.js'
import { line, registration } from '../support/people.js'
import { openPlace } from '../support/place.js'
import { portOf, runComanda } from '../support/processes.js'

/** The service as its users meet it: two processes, the operator's command, and the typed client. */
const place = await openPlace(t)
const api = runComanda(t, ['api'], place.env)
runComanda(t, ['worker'], place.env)
const origin = `http://127.0.0.1:${portOf(await api.said('started'))}`
await eventually('it is ready', async () => (await fetch(`${origin}/readyz`)).ok)
const checked = await contractFetch(origin)
const kept: typeof fetch = async (input, init) => {
  const request = new Request(input, init)
  const { pathname, search } = new URL(request.url)
  const body = await request.clone().text()
  return await checked(pathname + search, { method: request.method, headers: request.headers, ...(body === '' ? {} : { body }) })
}

/** A client of somebody new, logged in. */
async function newClient () {
  let token = ''
  const client = createClient({ baseUrl: origin, auth: () => token, fetch: kept })
  const person = registration()
  const { data: user } = await register({ client, body: person, throwOnError: true })
  const again = async (password = person.password) => { token = (await logIn({ client, body: { nick_name: person.nick_name, password }, throwOnError: true })).data.access_token }
  await again()
  return { client, person, user, again, renew: async () => { token = (await renewToken({ client, throwOnError: true })).data.access_token } }
}

t.test('an order\'s whole life through the typed client', async (t) => {
  const ana = await newClient()
  const boss = await newClient()
  const promoted = runComanda(t, ['users', 'promote', boss.person.nick_name, '--yes'], place.env)
  t.equal(await promoted.exited, 0)
  await boss.again() // what changes a role ends the sessions
  await boss.renew()

  const { data: placed, response } = await placeOrder({ client: ana.client, body: line, headers: { 'idempotency-key': 'e2e-1' }, throwOnError: true })
  t.match(placed, { status: 'accepted', total_value: 5970 })
  const path = { order_id: placed.order_id }
  t.equal(response.headers.get('location'), `/orders/${placed.order_id}`)
  await eventually('confirmed', async () => (await getOrder({ client: ana.client, path })).data?.status === 'confirmed')

  const { data: amended } = await amendOrder({ client: ana.client, path, body: { item_quantity: 1 }, headers: { 'if-match': '"1"' }, throwOnError: true })
  t.match(amended, { version: 2, total_value: 1990 })
  const { error } = await amendOrder({ client: ana.client, path, body: { item_quantity: 2 }, headers: { 'if-match': '"1"' } })
  t.match(error, { type: 'urn:comanda:problem:stale', status: 412 })

  for (const status of ['paid', 'shipped', 'delivered'] as const) await moveOrder({ client: boss.client, path, body: { status }, throwOnError: true })
  t.match((await cancelOrder({ client: ana.client, path })).error, { type: 'urn:comanda:problem:illegal-move' })
  await eventually('its timeline is whole', async () => (await listOrderEvents({ client: ana.client, path, throwOnError: true })).data.items.filter(({ outcome }) => outcome === 'applied').length === 5)

  const { data: batch } = await placeOrders({ client: ana.client, body: [line, { ...line, item_quantity: 0 }, { ...line, idempotency_key: 'e2e-1' }], throwOnError: true })
  t.strictSame(batch.items.map(({ status }) => status), [202, 400, 202])
  t.equal(batch.items[2]?.order?.order_id, placed.order_id)

  await eventually('both are listed', async () => (await listOrders({ client: ana.client, throwOnError: true })).data.items.length === 2)
  t.equal((await listUserOrders({ client: boss.client, path: { user_id: String(ana.user.user_id) }, throwOnError: true })).data.items.length, 2)
  t.ok((await listUsers({ client: boss.client, throwOnError: true })).data.items.some(({ user_id }) => user_id === ana.user.user_id))
})

t.test('a person\'s whole life through the typed client', async (t) => {
  const ana = await newClient()
  const { client, person } = ana
  const me = { user_id: 'me' }
  t.match((await getUser({ client, path: me, throwOnError: true })).data, { nick_name: person.nick_name, role: 'customer' })
  await placeOrder({ client, body: line, throwOnError: true })
  t.match((await exportUser({ client, throwOnError: true })).data, { user: { cpf: person.cpf } })
  await changePassword({ client, path: me, body: { password: person.password!, new_password: 'another long password' }, throwOnError: true })
  await eventually('the old token is dead', async () => (await getUser({ client, path: me })).response?.status === 401)
  await ana.again('another long password')
  t.equal((await eraseUser({ client, path: me, body: { password: 'another long password' } })).response?.status, 204)
  t.equal((await getUser({ client, path: me })).response?.status, 401)
  t.match((await logIn({ client, body: { nick_name: person.nick_name!, password: 'another long password' } })).error, { status: 401 })
})
