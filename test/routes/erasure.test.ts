import { createHash } from 'node:crypto'
import type { Response } from 'light-my-request'
import t from 'tap'
import { commandLine } from '../../src/users/actions.js'
import { refuseEvent } from '../../src/parking/park.js'
import { discardParked, replayParked } from '../../src/parking/parking-lot.js'
import { findParked, listParkedActions, parkedId } from '../../src/store/parked-events.js'
import { newCpf } from '../../testkit/cpf.js'
import { type App, startApi } from '../support/apps.js'
import { placement, takenOf } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { newcomer, newOperator, type Person, place as placeOrder, registration } from '../support/people.js'
import { needs, openPlace, openPool } from '../support/place.js'
import { isProblem, pointersOf } from '../support/problems.js'

const place = await openPlace(t)
const api = await startApi(t, place, { AMQP_URL: '' })
const other = await startApi(t, place, { AMQP_URL: '' })
const operator = await newOperator(api, place)

const erase = async (who: Person, id: string | number = 'me', app: App = api): Promise<Response> => await app.inject({
  method: 'DELETE', url: `/users/${id}`, headers: who.headers, ...(['me', who.user_id].includes(id) ? { payload: { password: who.password } } : {})
})
const read = async (who: Person, path: string, app: App = api): Promise<Response> => await app.inject({ url: path, headers: who.headers })
const register = async (given: object) => await api.inject({ method: 'POST', url: '/users', payload: { ...registration(), ...given } })
const rename = async (who: Person, name: string) => await api.inject({ method: 'PATCH', url: '/users/me', headers: who.headers, payload: { nick_name: name, password: who.password } })
const login = async ({ nick_name: name, password }: Person) => await api.inject({ method: 'POST', url: '/auth/token', payload: { nick_name: name, password } })
const stored = async ({ user_id: id }: Person) => (await place.pool.query<Record<string, unknown>>('select * from users where user_id = $1', [id])).rows[0]!
const waiters = async () => (await place.pool.query('select 1 from pg_stat_activity where datname = current_database() and wait_event_type = $1', ['Lock'])).rowCount!

t.test('erasing leaves nothing personal, for the user themself and for an operator', async (t) => {
  const [ana, bia] = [await newcomer(api), await newcomer(api)]
  for (const [who, person] of [[ana, ana], [operator, bia]] as const) {
    const before = await stored(person)
    const response = await erase(who, person.user_id)
    t.strictSame([response.statusCode, response.body], [204, ''])
    const { erased_at: erased, updated_at: updated, ...rest } = await stored(person)
    t.strictSame(rest, {
      user_id: person.user_id,
      nick_name: null,
      password: null,
      full_name: null,
      cpf: null,
      email: null,
      phone_number: null,
      role: 'customer',
      created_at: before.created_at,
      session_epoch: 1
    })
    t.ok(erased instanceof Date && updated instanceof Date && Math.abs(Date.now() - erased.getTime()) < 5000)
    isProblem(t, await login(person), 401, 'wrong-credentials')
  }
})

t.test('an erased user\'s tokens are refused at once, in every process', needs('redis'), async (t) => {
  const [ana, bia] = [await newcomer(api), await newcomer(api)]
  for (const app of [api, other]) for (const person of [ana, bia]) t.equal((await read(person, '/orders', app)).statusCode, 200)
  await erase(ana)
  await erase(operator, bia.user_id)
  for (const person of [ana, bia]) {
    isProblem(t, await read(person, '/users/me'), 401, 'token-revoked')
    isProblem(t, await placeOrder(api, person), 401, 'token-revoked')
    await eventually('the other process has heard', async () => (await read(person, '/users/me', other)).statusCode === 401)
    isProblem(t, await placeOrder(other, person), 401, 'token-revoked')
  }
})

t.test('what is parked of an erased user is discarded, and its bytes are gone', async (t) => {
  const [ana, bia] = [await newcomer(api), await newcomer(api)]
  const events = [placement(ana.user_id), placement(ana.user_id), placement(bia.user_id)]
  const ids: string[] = []
  for (const event of events) ids.push(parkedId((await refuseEvent(place.pool, takenOf(event), { reason: 'not_storable', source: 'queue', attempts: 1 })).raw))
  await discardParked(place.pool, ids[1]!, commandLine('bia'))
  await erase(ana)
  const pool = openPool(t, place)
  const rows = await Promise.all(ids.map(async (id) => ({ ...(await findParked(pool, id))[0]!, actions: (await listParkedActions(pool, id)).map(({ action, done_by: by }) => `${action} by ${by}`) })))
  t.strictSame(rows.map(({ raw, settlement, actions }) => [raw.length > 0, settlement, actions]), [[false, 'discarded', ['discarded by erasure']], [false, 'discarded', ['discarded by cli:bia']], [true, null, []]])
  await t.rejects(replayParked(place.pool, ids[0]!, commandLine('bia'), { mac: null, unsigned: true }), { code: 'settled' })
  t.equal((await read(operator, `/orders/${events[0]!.order.order_id}`)).json<{ reason: string }>().reason, 'not_storable', 'the order stays, as rejected')
})

t.test('to everybody an erased user is not there, and their orders are, for operators', async (t) => {
  const [ana, bia] = [await newcomer(api), await newcomer(api)]
  const order = (await placeOrder(api, ana)).json<{ order_id: string }>().order_id
  await place.pool.query(`
    insert into orders (order_id, user_id, item_description, item_quantity, item_price, total_value, status, version, event_id, created_at, updated_at)
    select order_id, $2, 'x', 1, 1, 1, 'confirmed', 1, event_id, date_trunc('milliseconds', now()), date_trunc('milliseconds', now()) from fallback_queue where order_id = $1`, [order, ana.user_id])
  await erase(ana)
  for (const who of [operator, bia]) {
    isProblem(t, await read(who, `/users/${ana.user_id}`), 404, 'user-not-found')
    isProblem(t, await api.inject({ method: 'PATCH', url: `/users/${ana.user_id}`, headers: who.headers, payload: { full_name: 'Back again' } }), 404, 'user-not-found')
  }
  t.equal((await stored(ana)).full_name, null)
  const everybody = (await read(operator, '/users?limit=100')).json<{ items: Array<{ user_id: number }> }>().items.map((item) => item.user_id)
  t.ok(everybody.includes(bia.user_id) && !everybody.includes(ana.user_id))
  for (const list of [`/users/${ana.user_id}/orders`, `/orders?user_id=${ana.user_id}`]) {
    t.match((await read(operator, list)).json(), { items: [{ order_id: order, user_id: ana.user_id }], next_cursor: null }, list)
  }
  t.equal((await read(operator, `/orders/${order}`)).json<{ user_id: number }>().user_id, ana.user_id)
  isProblem(t, await read(bia, `/users/${ana.user_id}/orders`), 404, 'user-not-found')
})

t.test('an operator may erase again, and nobody who never was', async (t) => {
  const ana = await newcomer(api)
  t.equal((await erase(operator, ana.user_id)).statusCode, 204)
  const first = await stored(ana)
  t.equal((await erase(operator, ana.user_id)).statusCode, 204)
  t.strictSame(await stored(ana), first)
  isProblem(t, await erase(operator, 2147483647), 404, 'user-not-found')
  isProblem(t, await erase(ana, ana.user_id, api), 401, 'token-revoked')
  const bia = await newcomer(api)
  const answers = await Promise.all([1, 2, 3].map(async () => await erase(operator, bia.user_id)))
  t.strictSame(answers.map(({ statusCode }) => statusCode), [204, 204, 204], 'at once, too')
  t.equal((await stored(bia)).session_epoch, 1)
})

t.test('an erased name is never free again, by no path and in no writing; the CPF is', async (t) => {
  const person = { ...registration(), nick_name: 'Jos\u00e9-gone' }
  const ana = await newcomer(api, person)
  const bia = await newcomer(api)
  await erase(ana)
  for (const name of ['Jos\u00e9-gone', 'Jose\u0301-gone']) {
    isProblem(t, await register({ nick_name: name }), 409, 'account-taken')
    isProblem(t, await rename(bia, name), 409, 'account-taken')
  }
  t.equal((await stored(bia)).nick_name, bia.nick_name)
  const response = await register({ ...person, nick_name: 'new-name' })
  t.equal(response.statusCode, 201, 'the same person with another name')
  t.not(response.json<{ user_id: number }>().user_id, ana.user_id)
})

t.test('of a name that was changed before the erasure only the last one stays taken', async (t) => {
  const ana = await newcomer(api, { nick_name: 'first-name' })
  t.equal((await rename(ana, 'last-name')).statusCode, 200)
  await erase(ana)
  t.equal((await register({ nick_name: 'first-name' })).statusCode, 201)
  isProblem(t, await register({ nick_name: 'last-name' }), 409, 'account-taken')
})

t.test('who takes a name in the very moment of its erasure does not get it', async (t) => {
  const people = await Promise.all(Array.from({ length: 8 }, async () => await newcomer(api)))
  const bia = await newcomer(api)
  for (const ana of people) {
    const [erased, ...rivals] = await Promise.all([erase(ana), register({ nick_name: ana.nick_name }), rename(bia, ana.nick_name), register({ nick_name: ana.nick_name })])
    t.equal(erased.statusCode, 204)
    for (const rival of rivals) isProblem(t, rival, 409, 'account-taken')
  }
})

t.test('a name that is changed in the very moment of the erasure is the one that stays taken', async (t) => {
  const ana = await newcomer(api)
  const renaming = await place.pool.connect()
  await renaming.query('begin')
  await renaming.query('update users set nick_name = $2 where user_id = $1', [ana.user_id, 'newest-name'])
  const erasing = erase(ana)
  await eventually('the erasure waits for the change', async () => await waiters() === 1)
  await renaming.query('commit')
  renaming.release()
  t.equal((await erasing).statusCode, 204)
  t.equal((await stored(ana)).nick_name, null)
  isProblem(t, await register({ nick_name: 'newest-name' }), 409, 'account-taken')
  t.equal((await register({ nick_name: ana.nick_name })).statusCode, 201)
})

t.test('of an erased name a hash is kept that nobody can make without the key', async (t) => {
  const ana = await newcomer(api, { nick_name: 'guess-me' })
  const kept = async () => (await place.pool.query<{ name_hash: Buffer, keyed: boolean }>('select name_hash, keyed from taken_names')).rows
  t.ok((await kept()).every(({ keyed }) => keyed))
  const plain = createHash('sha256').update('guess-me').digest()
  const before = (await kept()).length
  await erase(ana)
  const after = await kept()
  t.equal(after.length, before + 1)
  t.ok(after.every(({ name_hash: hash, keyed }) => keyed && hash.length === 32 && !hash.equals(plain)))
  const inSql = await place.pool.query<{ found: boolean }>("select exists (select from taken_names where name_hash = sha256('guess-me')) as found")
  t.equal(inSql.rows[0]!.found, false)
})

t.test('a process of the release before leaves a plain hash, which the next api keys; the name is taken all the while', async (t) => {
  const ana = await newcomer(api, { nick_name: 'erased-by-the-old' })
  await place.pool.query(`update users set nick_name = null, password = null, full_name = null, cpf = null, email = null, phone_number = null,
    erased_at = now() where user_id = $1`, [ana.user_id])
  const plain = async () => (await place.pool.query('select from taken_names where not keyed')).rowCount
  t.equal(await plain(), 1)
  isProblem(t, await register({ nick_name: ana.nick_name }), 409, 'account-taken')
  const next = await startApi(t, place, { AMQP_URL: '', REDIS_URL: '' })
  await eventually('it is keyed', async () => await plain() === 0)
  t.match(await eventually('it says so', () => next.lines.find(({ event }) => event === 'names_keyed')), { names: 1 })
  isProblem(t, await register({ nick_name: ana.nick_name }), 409, 'account-taken')
})

t.test('a change that waits for an erasure finds nobody', async (t) => {
  const ana = await newcomer(api)
  const erasing = await place.pool.connect()
  await erasing.query('begin')
  await erasing.query(`update users set nick_name = null, password = null, full_name = null, cpf = null, email = null, phone_number = null,
    erased_at = now() where user_id = $1`, [ana.user_id])
  const changes = [
    rename(ana, 'too-late'),
    api.inject({ method: 'PUT', url: '/users/me/password', headers: ana.headers, payload: { password: ana.password, new_password: 'too late for this' } })
  ]
  await eventually('both wait for the erasure', async () => await waiters() === 2)
  await erasing.query('commit')
  erasing.release()
  const [renamed, changed] = await Promise.all(changes)
  isProblem(t, renamed!, 404, 'user-not-found')
  isProblem(t, changed!, 403, 'wrong-password')
  t.match(await stored(ana), { nick_name: null, password: null })
})

t.test('a stolen token alone erases nobody and takes over no account, and guessing the password is limited', async (t) => {
  const limited = await startApi(t, place, { AMQP_URL: '', REDIS_URL: '', LOGIN_LIMIT: '3' })
  const ana = await newcomer(api)
  const before = await stored(ana)
  const ask = async (method: 'DELETE' | 'PATCH', payload: object | undefined, path: string | number = 'me', app: App = api, remoteAddress = '127.0.0.1') =>
    await app.inject({ method, url: `/users/${path}`, headers: ana.headers, remoteAddress, ...(payload ? { payload } : {}) })
  for (const path of ['me', ana.user_id]) {
    for (const given of [undefined, {}]) t.ok(pointersOf(isProblem(t, await ask('DELETE', given, path), 400, 'validation-failed')).includes('#/password'))
    isProblem(t, await ask('DELETE', { password: 'a wrong guess' }, path), 403, 'wrong-password')
    for (const change of [{ nick_name: 'thief' }, { email: 'thief@example.com' }, { cpf: newCpf() }]) {
      t.strictSame(pointersOf(isProblem(t, await ask('PATCH', change, path), 400, 'validation-failed')), ['#/password'])
      isProblem(t, await ask('PATCH', { ...change, password: 'a wrong guess' }, path), 403, 'wrong-password')
    }
  }
  const guesses: number[] = []
  for (let guess = 0; guess < 4; guess++) guesses.push((await ask(guess % 2 ? 'PATCH' : 'DELETE', { password: 'a wrong guess' }, 'me', limited, `10.0.0.${guess}`)).statusCode)
  t.strictSame(guesses, [403, 403, 403, 429], 'by either way, from any address')
  isProblem(t, await ask('DELETE', { password: ana.password }, 'me', limited, '10.0.0.9'), 429, 'too-many-requests')
  t.strictSame(await stored(ana), before)
})

t.test('of all this no personal data was logged', async (t) => {
  for (const line of [...api.lines, ...other.lines].map((one) => JSON.stringify(one))) t.notMatch(line, /\b\d{11}\b|@example\.com|\b9\d{4}-\d{4}\b|horse|argon2|-name/)
})
