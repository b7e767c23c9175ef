import type { Response } from 'light-my-request'
import t from 'tap'
import { newCpf } from '../../testkit/cpf.js'
import { startApi } from '../support/apps.js'
import { insertPerson } from '../support/events.js'
import { newcomer, newOperator, type Person, place as placeOrder, registration } from '../support/people.js'
import { openPlace } from '../support/place.js'
import { isProblem, pointersOf } from '../support/problems.js'

type User = Record<'nick_name' | 'full_name' | 'cpf' | 'email' | 'phone_number' | 'role' | 'created_at' | 'updated_at', string> & { user_id: number }
interface Page { items: User[], next_cursor: string | null }
type Method = 'GET' | 'PATCH' | 'PUT' | 'DELETE'

const place = await openPlace(t)
const api = await startApi(t, place, { AMQP_URL: '', REDIS_URL: '' })
const given = registration()
const ana = await newcomer(api, given)
const bia = await newcomer(api)
const operator = await newOperator(api, place)
const NOBODY = 2147483647

const ask = async (method: Method, path: string, who: Person | null = ana, payload?: object, app = api): Promise<Response> =>
  await app.inject({ method, url: `/users${path}`, headers: who?.headers ?? {}, ...(payload ? { payload } : {}) })
/** With the password where one changes of oneself what needs it. */
const patch = async (who: Person, change: object, path = '/me', app = api) =>
  await ask('PATCH', path, who, path === '/me' && ('nick_name' in change || 'cpf' in change || 'email' in change) ? { ...change, password: who.password } : change, app)
const stored = async ({ user_id: id }: { user_id: number }) => (await place.pool.query('select * from users where user_id = $1', [id])).rows[0] as Record<string, unknown>
const linkOf = ({ headers }: Response) => /^<(.*)>; rel="next"$/.exec(headers.link as string ?? '')?.[1]

/** Every path to one user, with a body that would do. */
const paths: Array<[method: Method, path: string, payload?: object]> = [
  ['GET', ''], ['PATCH', '', { full_name: 'Someone Else' }], ['PUT', '/password', { password: ana.password, new_password: 'another long one' }], ['DELETE', ''], ['GET', '/orders']
]

t.test('a user reads themself by their id and as me, without the password', async (t) => {
  const { password, ...shown } = given
  for (const path of ['/me', `/${ana.user_id}`]) {
    const response = await ask('GET', path)
    t.equal(response.statusCode, 200)
    const user = response.json<User>()
    t.strictSame(user, { user_id: ana.user_id, ...shown, role: 'customer', created_at: user.created_at, updated_at: user.updated_at })
    t.equal(response.headers['cache-control'], 'no-store')
  }
  t.strictSame((await ask('GET', `/${ana.user_id}`, operator)).json(), (await ask('GET', '/me')).json(), 'an operator sees the same')
  t.match((await ask('GET', '/me', operator)).json(), { user_id: operator.user_id, role: 'operator' })
})

t.test('to a customer nobody else exists: another user and no user are answered alike, on every path', async (t) => {
  const before = await stored(bia)
  for (const [method, path, payload] of paths) {
    const answers = [await ask(method, `/${bia.user_id}${path}`, ana, payload), await ask(method, `/${NOBODY}${path}`, ana, payload), await ask(method, `/9999999999${path}`, ana, payload)]
    const plain = answers.map((answer) => ({ ...isProblem(t, answer, 404, 'user-not-found', `${method} ${path}`), instance: '', request_id: '' }))
    t.strictSame([plain[1], plain[2]], [plain[0], plain[0]], `${method} ${path}`)
  }
  t.strictSame(await stored(bia), before)
})

t.test('an operator meets nobody where there never was anybody', async (t) => {
  for (const [method, path, payload] of paths.filter(([, path]) => path !== '/password')) {
    for (const id of [NOBODY, NOBODY + 1, 9999999999]) isProblem(t, await ask(method, `/${id}${path}`, operator, payload), 404, 'user-not-found', `${method} ${id}${path}`)
  }
})

t.test('without a token every path is 401, and what is no id is 400', async (t) => {
  for (const [method, path, payload] of [...paths, ['GET', '/export'] as typeof paths[number]]) {
    isProblem(t, await ask(method, `/me${path}`, null, payload), 401, 'token-missing', `${method} ${path}`)
  }
  isProblem(t, await ask('GET', '', null), 401, 'token-missing')
  for (const [method, path, payload] of paths) {
    for (const id of ['0', '-1', '01', '1.5', 'Me', 'ana', '1e3', '99999999999', '%00', ' 1']) {
      isProblem(t, await ask(method, `/${encodeURIComponent(id)}${path}`, operator, payload), 400, 'validation-failed', `${method} ${id}${path}`)
    }
  }
})

t.test('a change answers the user as changed; what is left out stays', async (t) => {
  const person = await newcomer(api)
  const before = (await ask('GET', '/me', person)).json<User>()
  const changes = { nick_name: 'Jose\u0301', full_name: 'José da Silva', cpf: newCpf(), email: 'jose@example.com', phone_number: '11912345678' }
  for (const [name, value] of Object.entries(changes)) {
    const response = await patch(person, { [name]: value })
    t.equal(response.statusCode, 200, response.body)
    t.equal(response.json<Record<string, string>>()[name], value.normalize('NFC'), name)
  }
  const after = (await ask('GET', `/${person.user_id}`, operator)).json<User>()
  t.strictSame(after, { ...before, ...changes, nick_name: 'José', updated_at: after.updated_at })
  t.ok(after.updated_at > before.updated_at)
  const login = await api.inject({ method: 'POST', url: '/auth/token', payload: { nick_name: 'José', password: person.password } })
  t.equal(login.statusCode, 200, 'the new name logs in')
  t.equal((await ask('GET', '/me', person)).statusCode, 200, 'and the token stays good')
  t.match((await patch(operator, { full_name: 'By an operator' }, `/${person.user_id}`)).json(), { user_id: person.user_id, full_name: 'By an operator' })
})

t.test('a change that changes nothing answers the user as is', async (t) => {
  const before = (await ask('GET', '/me', bia)).json<User>()
  const { user_id: id, role, created_at: created, updated_at: updated, ...same } = before
  for (const change of [same, { email: before.email }]) {
    const response = await patch(bia, change)
    t.strictSame([response.statusCode, response.json()], [200, before])
  }
  t.strictSame((await patch(bia, { ...same, full_name: 'Bia' })).json<User>().full_name, 'Bia', 'one change among them is one')
})

t.test('a change to what another has is 409 and does not name the field; nothing is changed', async (t) => {
  const person = await newcomer(api)
  const before = await stored(person)
  const other = (await ask('GET', '/me', bia)).json<User>()
  const answers = [await patch(person, { nick_name: other.nick_name, full_name: 'Thief' }), await patch(person, { cpf: other.cpf, full_name: 'Thief' })]
  const bodies = answers.map((answer) => ({ ...isProblem(t, answer, 409, 'account-taken'), request_id: '' }))
  t.strictSame(bodies[0], bodies[1])
  isProblem(t, await patch(operator, { cpf: other.cpf }, `/${person.user_id}`), 409, 'account-taken')
  t.strictSame(await stored(person), before)
  t.equal((await patch(person, { email: other.email, phone_number: other.phone_number })).statusCode, 200, 'these may be the same')
})

t.test('a name that was given up is free again, also in a row of changes', async (t) => {
  const [first, second] = [await newcomer(api), await newcomer(api)]
  t.equal((await patch(first, { nick_name: 'one-more' })).statusCode, 200)
  t.equal((await patch(second, { nick_name: first.nick_name })).statusCode, 200, 'by a change')
  t.equal((await patch(first, { nick_name: second.nick_name })).statusCode, 200, 'and the other way round')
  t.equal((await api.inject({ method: 'POST', url: '/users', payload: { ...registration(), nick_name: 'one-more' } })).statusCode, 201, 'by a registration')
  isProblem(t, await patch(first, { nick_name: 'one-more' }), 409, 'account-taken')
})

t.test('of several who change to one name at once exactly one gets it', async (t) => {
  const people = await Promise.all(Array.from({ length: 4 }, async () => await newcomer(api)))
  const answers = await Promise.all(people.map(async (person) => await patch(person, { nick_name: 'longed-for' })))
  t.strictSame(answers.map(({ statusCode }) => statusCode).sort(), [200, 409, 409, 409])
})

t.test('a change that breaks the rules is 400 and names every place', async (t) => {
  const before = await stored(ana)
  const table: Array<[change: unknown, pointers: string[]]> = [
    [{}, ['#']],
    [[], ['#']],
    [{ new_password: 'another long one' }, ['#/new_password']],
    [{ role: 'operator', user_id: 1, erased_at: null }, ['#/erased_at', '#/role', '#/user_id']],
    [{ nick_name: 'two words', full_name: ' ', cpf: '52998224724', email: 'ana', phone_number: '1' }, ['#/cpf', '#/email', '#/full_name', '#/nick_name', '#/phone_number']],
    [{ nick_name: null, cpf: 52998224725 }, ['#/cpf', '#/nick_name']],
    [{ nick_name: '\u0958'.repeat(26) }, ['#/nick_name']]
  ]
  for (const [change, pointers] of table) {
    const problem = isProblem(t, await patch(ana, change as object), 400, 'validation-failed', JSON.stringify(change))
    t.strictSame(pointersOf(problem), pointers, JSON.stringify(change))
  }
  t.strictSame(await stored(ana), before)
})

t.test('changes are limited from each address, as registrations are', async (t) => {
  const limited = await startApi(t, place, { LOGIN_LIMIT: '2', AMQP_URL: '', REDIS_URL: '' })
  const statuses = async () => (await patch(ana, { cpf: newCpf() }, '/me', limited)).statusCode
  t.strictSame([await statuses(), await statuses()], [200, 200])
  const response = await patch(ana, { cpf: newCpf() }, '/me', limited)
  isProblem(t, response, 429, 'too-many-requests')
  t.match(response.headers['retry-after'], /^[1-9]\d*$/)
  t.equal((await ask('GET', '/me', ana, undefined, limited)).statusCode, 200, 'reading is not limited')
})

t.test('changes are limited by user too, from however many addresses', async (t) => {
  const limited = await startApi(t, place, { LOGIN_LIMIT: '2', AMQP_URL: '', REDIS_URL: '' })
  const guess = async (who: Person, remoteAddress: string) => await limited.inject({ method: 'PATCH', url: '/users/me', remoteAddress, headers: who.headers, payload: { cpf: newCpf(), password: who.password } })
  t.strictSame([(await guess(ana, '10.0.0.1')).statusCode, (await guess(ana, '10.0.0.2')).statusCode], [200, 200])
  isProblem(t, await guess(ana, '10.0.0.3'), 429, 'too-many-requests')
  t.equal((await guess(bia, '10.0.0.3')).statusCode, 200, 'another user is not')
})

t.test('an operator lists everybody once, page by page, by Link and by next_cursor alike', async (t) => {
  const { rows } = await place.pool.query<{ user_id: number }>('select user_id from users order by user_id')
  const everybody = rows.map((row) => row.user_id)
  for (const limit of [1, 3, everybody.length - 1, everybody.length, 100]) {
    const seen: number[] = []
    let path: string | undefined = `?limit=${limit}`
    while (path !== undefined && seen.length <= everybody.length) {
      const response: Response = await ask('GET', path, operator)
      t.equal(response.statusCode, 200)
      const { items, next_cursor: next } = response.json<Page>()
      t.ok(items.length > 0 && items.length <= limit)
      seen.push(...items.map((item) => item.user_id))
      const link = linkOf(response)
      t.equal(link === undefined, next === null)
      if (link !== undefined) t.strictSame(Object.fromEntries(new URL(link, 'http://x').searchParams), { limit: String(limit), cursor: next })
      path = link?.slice('/users'.length)
    }
    t.strictSame(seen, everybody, `limit ${limit}`)
  }
  const page = (await ask('GET', '?limit=100', operator)).json<Page>()
  const whole = (await ask('GET', '/me')).json<User>()
  t.strictSame(page.items.find((item) => item.user_id === ana.user_id), { ...whole, cpf: `***.${whole.cpf.slice(3, 6)}.${whole.cpf.slice(6, 9)}-**` }, 'each as when read alone, but for the CPF')
  t.notMatch(JSON.stringify(page), /"cpf":"\d/, 'no whole CPF is in a list')
  t.equal((await ask('GET', `/${ana.user_id}`, operator)).json<User>().cpf, whole.cpf, 'one at a time it is whole')
  t.notMatch(JSON.stringify(page), /argon2|password/)
})

t.test('a list of users holds 20 unless asked for another number up to 100', async (t) => {
  for (let more = 0; more < 25; more++) await insertPerson(place.pool)
  t.equal((await ask('GET', '', operator)).json<Page>().items.length, 20)
  for (const query of ['limit=0', 'limit=101', 'limit=1.5', 'limit=all', 'role=customer', 'user_id=1']) isProblem(t, await ask('GET', `?${query}`, operator), 400, 'validation-failed', query)
})

t.test('a cursor that this list did not give out is 400', async (t) => {
  const made = (text: string) => Buffer.from(text).toString('base64url')
  for (const cursor of ['', 'x', '1', 'null', made('user 0'), made('user -1'), made('user 01'), made('user 2147483648'), made('user 1e3'), made(' user 1'), `${made('user 1')}=`, made(`2026-01-01T00:00:00.000Z ${crypto.randomUUID()}`)]) {
    isProblem(t, await ask('GET', `?cursor=${cursor}`, operator), 400, 'bad-cursor', cursor)
  }
  t.equal((await ask('GET', `?cursor=${made('user 2147483647')}`, operator)).json<Page>().items.length, 0)
})

t.test('the list of users is for operators only', async (t) => {
  isProblem(t, await ask('GET', '', ana), 403, 'forbidden')
  isProblem(t, await ask('GET', '?cursor=x', ana), 403, 'forbidden')
})

t.test('a user\'s orders are the list of orders, for the user themself and for operators', async (t) => {
  const person = await newcomer(api)
  for (let more = 0; more < 3; more++) await placeOrder(api, person)
  await placeOrder(api, bia)
  await place.pool.query(`
    insert into orders (order_id, user_id, item_description, item_quantity, item_price, total_value, status, version, event_id, created_at, updated_at)
    select order_id, (event -> 'data' ->> 'user_id')::integer, 'x', 1, 1, 1, case when fallback_id % 2 = 0 then 'paid' else 'confirmed' end, 1, event_id, date_trunc('milliseconds', taken_at), taken_at from fallback_queue`)
  for (const query of ['', '?status=paid', '?created_to=2020-01-01T00:00:00Z', '?created_from=2020-01-01T00:00:00-03:00&limit=2']) {
    const wanted = (await api.inject({ url: `/orders${query}`, headers: person.headers }))
    for (const path of ['/me', `/${person.user_id}`]) {
      const response = await ask('GET', `${path}/orders${query}`, person)
      t.strictSame([response.statusCode, response.json()], [200, wanted.json()], path + query)
      t.equal(linkOf(response), linkOf(wanted)?.replace('/orders', `/users${path}/orders`))
      t.strictSame([response.headers['cache-control'], response.headers.vary], ['private, no-cache', 'Authorization'])
    }
    const asOperator = (await ask('GET', `/${person.user_id}/orders${query}`, operator)).json<{ items: Array<{ order_id: string }> }>()
    t.strictSame(asOperator.items.map((item) => item.order_id), wanted.json<typeof asOperator>().items.map((item) => item.order_id), query)
  }
  t.equal((await ask('GET', '/me/orders', person)).json<Page>().items.length, 3)
  t.equal((await ask('GET', '/me/orders', operator)).json<Page>().items.length, 0, 'me is the operator, not everybody')
  const first = await ask('GET', '/me/orders?limit=2', person)
  t.equal((await api.inject({ url: linkOf(first)!, headers: person.headers })).json<Page>().items.length, 1, 'the link works')
  isProblem(t, await ask('GET', `/me/orders?user_id=${bia.user_id}`, person), 400, 'validation-failed')
  isProblem(t, await ask('GET', '/me/orders?cursor=x', person), 400, 'bad-cursor')
})

t.test('of all this no personal data was logged', async (t) => {
  for (const line of api.lines.map((one) => JSON.stringify(one))) t.notMatch(line, /\b\d{11}\b|@example\.com|\b9\d{4}-\d{4}\b|Silva|horse|argon2/)
})
