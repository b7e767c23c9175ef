import type { Response } from 'light-my-request'
import t from 'tap'
import { listActions } from '../../src/store/actions.js'
import { newCpf } from '../../testkit/cpf.js'
import { startApi } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { newcomer, newOperator, type Person } from '../support/people.js'
import { openPlace, openPool } from '../support/place.js'
import { isProblem } from '../support/problems.js'

const place = await openPlace(t)
const pool = openPool(t, place)
const api = await startApi(t, place, { AMQP_URL: '', REDIS_URL: '' })
const [boss, operator] = [await newOperator(api, place), await newOperator(api, place)]

type Asked = [method: 'GET' | 'PATCH' | 'PUT' | 'DELETE', path: string, payload?: object]
const ask = async ({ headers }: Person, [method, url, payload]: Asked): Promise<Response> => await api.inject({ method, url, headers, ...(payload ? { payload } : {}) })
const stored = async ({ user_id: id }: Person) => (await place.pool.query<Record<string, unknown>>('select * from users where user_id = $1', [id])).rows[0]!
const waiters = async () => (await place.pool.query('select 1 from pg_stat_activity where datname = current_database() and wait_event_type = $1', ['Lock'])).rowCount!
const recorded = async () => (await listActions(pool, { limit: 1000 })).reverse()

/** Actions cannot be recorded while `work` is under way. */
async function withoutActions (work: () => Promise<void>): Promise<void> {
  await place.pool.query('alter table actions rename to actions_elsewhere')
  try {
    await work()
  } finally {
    await place.pool.query('alter table actions_elsewhere rename to actions')
  }
}

t.test('what operators read and change of others is recorded: who, in which role, what, to whom, when and by which request', async (t) => {
  const ana = await newcomer(api)
  const id = ana.user_id
  const asked: Array<[Asked, string, string]> = [
    [['GET', `/users/${id}`], 'user.read', String(id)],
    [['GET', '/users?limit=2'], 'users.listed', `${boss.user_id}-${operator.user_id}`],
    [['GET', `/users/${id}/orders`], 'orders.listed_of_user', String(id)],
    [['GET', `/orders?user_id=${id}`], 'orders.listed_of_user', String(id)],
    [['PATCH', `/users/${id}`, { full_name: 'Bia', cpf: newCpf() }], 'user.changed', String(id)],
    [['PATCH', `/users/${id}`, { full_name: 'Bia' }], 'user.read', String(id)],
    [['GET', `/users/${boss.user_id}`], 'user.read', String(boss.user_id)],
    [['DELETE', `/users/${id}`], 'user.erased', String(id)]
  ]
  const before = (await recorded()).length
  const answers: Response[] = []
  for (const [request] of asked) answers.push(await ask(operator, request))
  t.ok(answers.every(({ statusCode }) => statusCode < 300))
  const actions = (await recorded()).slice(before)
  t.strictSame(actions.map(({ action_id: _id, done_at: _at, ...action }) => action), asked.map(([, action, target_id], index) => ({
    actor: `operator:${operator.user_id}`, role: 'operator', way: 'api', action, target_kind: 'user', target_id, request_id: answers[index]!.headers['x-request-id']
  })))
  t.ok(actions.every(({ done_at: at }) => Math.abs(Date.now() - Date.parse(at)) < 60_000))
})

t.test('the line of a request about another user names that user, one\'s own does not', async (t) => {
  const ana = await newcomer(api)
  const lineOf = (response: Response) => api.lines.find(({ event, request_id: id }) => event === 'request' && id === response.headers['x-request-id'])
  for (const [who, request, target] of [
    [operator, ['PATCH', `/users/${ana.user_id}`, { full_name: 'Bia' }], ana.user_id],
    [operator, ['DELETE', `/users/${boss.user_id}`], boss.user_id],
    [ana, ['GET', `/users/${boss.user_id}`], boss.user_id],
    [ana, ['PATCH', '/users/me', { full_name: 'Bia' }], undefined],
    [ana, ['PATCH', `/users/${ana.user_id}`, { full_name: 'Ana' }], undefined],
    [operator, ['DELETE', `/users/${ana.user_id}`], ana.user_id]
  ] as Array<[Person, Asked, number | undefined]>) {
    const response = await ask(who, request)
    t.match(lineOf(response), { user_id: who.user_id, status: response.statusCode })
    t.equal(lineOf(response)!.target_user_id, target, request.slice(0, 2).join(' '))
  }
})

t.test('a user\'s own change, new password, log-out and erasure are recorded', async (t) => {
  const ana = await newcomer(api)
  const login = async (password: string) => ({ ...ana, headers: { authorization: `Bearer ${(await api.inject({ method: 'POST', url: '/auth/token', payload: { nick_name: ana.nick_name, password } })).json<{ access_token: string }>().access_token}` } })
  const before = (await recorded()).length
  await ask(ana, ['GET', '/users/me'])
  await ask(ana, ['PATCH', '/users/me', { full_name: 'Bia' }])
  await ask(ana, ['PUT', '/users/me/password', { password: ana.password, new_password: 'battery staple horse' }])
  await ask(await login('battery staple horse'), ['DELETE', '/auth/token'])
  await ask(await login('battery staple horse'), ['DELETE', '/users/me', { password: 'battery staple horse' }])
  const own = { actor: `user:${ana.user_id}`, role: 'customer', target_id: String(ana.user_id) }
  t.match((await recorded()).slice(before), ['user.changed', 'user.password_changed', 'sessions.ended', 'user.erased'].map((action) => ({ ...own, action })))
  t.equal((await recorded()).length, before + 4)
})

t.test('a read of people that cannot be recorded is refused, and so is a change: neither is there without the other', async (t) => {
  const ana = await newcomer(api)
  const before = await stored(ana)
  await withoutActions(async () => {
    const id = ana.user_id
    const asked: Asked[] = [['GET', `/users/${id}`], ['GET', '/users'], ['GET', `/users/${id}/orders`], ['GET', `/orders?user_id=${id}`], ['PATCH', `/users/${id}`, { full_name: 'Bia' }], ['PATCH', `/users/${id}`, { full_name: String(before.full_name) }], ['DELETE', `/users/${id}`]]
    for (const request of asked) {
      const response = await ask(operator, request)
      isProblem(t, response, 503, 'unavailable', request.slice(0, 2).join(' '))
      t.notMatch(response.body, String(before.cpf))
    }
    for (const request of [['PATCH', '/users/me', { full_name: 'Bia' }], ['PUT', '/users/me/password', { password: ana.password, new_password: 'battery staple horse' }], ['DELETE', '/auth/token'], ['DELETE', '/users/me', { password: ana.password }]] as Asked[]) {
      isProblem(t, await ask(ana, request), 503, 'unavailable', `own ${request.slice(0, 2).join(' ')}`)
    }
    for (const path of ['/users/me', '/orders', '/users/me/orders']) t.equal((await ask(ana, ['GET', path])).statusCode, 200, 'what is one\'s own is read')
  })
  t.strictSame(await stored(ana), before)
  t.equal((await ask(ana, ['GET', '/users/me'])).statusCode, 200)
})

t.test('an action is neither changed nor removed, by no statement and in no mode of a session', async (t) => {
  await ask(operator, ['GET', `/users/${boss.user_id}`])
  const before = await recorded()
  t.ok(before.length > 0)
  const client = await place.pool.connect()
  for (const mode of ['origin', 'replica']) {
    await client.query(`set session_replication_role = ${mode}`).catch(() => {})
    for (const statement of ['update actions set actor = \'x\'', 'delete from actions', 'truncate actions']) await t.rejects(client.query(statement), statement)
  }
  await client.query('reset session_replication_role')
  client.release()
  t.strictSame(await recorded(), before)
})

t.test('operators act on customers and themselves, not on each other; they read each other, and that is recorded', async (t) => {
  const other = await newOperator(api, place)
  const before = await stored(other)
  for (const request of [['PATCH', `/users/${other.user_id}`, { full_name: 'Bia' }], ['PATCH', `/users/${other.user_id}`, { full_name: String(before.full_name) }], ['DELETE', `/users/${other.user_id}`]] as Asked[]) {
    isProblem(t, await ask(operator, request), 403, 'operator-account', request[0])
  }
  t.strictSame(await stored(other), before)
  t.equal((await ask(operator, ['GET', `/users/${other.user_id}`])).statusCode, 200)
  t.match((await recorded()).at(-1), { action: 'user.read', target_id: String(other.user_id) })
  t.equal((await ask(other, ['PATCH', '/users/me', { full_name: 'Myself' }])).statusCode, 200)
  t.equal((await ask(other, ['DELETE', `/users/${other.user_id}`, { password: other.password }])).statusCode, 204)
})

t.test('who becomes an operator in that very moment is one: the change that waited is refused', async (t) => {
  const [ana, bia] = [await newcomer(api), await newcomer(api)]
  const before = await stored(bia)
  const promoting = await place.pool.connect()
  await promoting.query('begin')
  await promoting.query('update users set role = $1 where user_id = any($2)', ['operator', [ana.user_id, bia.user_id]])
  const rivals = [ask(operator, ['DELETE', `/users/${ana.user_id}`]), ask(operator, ['PATCH', `/users/${bia.user_id}`, { full_name: 'Late' }])]
  await eventually('both wait for the promotion', async () => await waiters() === 2)
  await promoting.query('commit')
  promoting.release()
  for (const rival of await Promise.all(rivals)) isProblem(t, rival, 403, 'operator-account')
  t.equal((await stored(ana)).erased_at, null)
  t.equal((await stored(bia)).full_name, before.full_name)
})

t.test('of all this nothing personal is among the actions', async (t) => {
  for (const action of await recorded()) t.notMatch(JSON.stringify(action), /\b\d{11}\b|@example\.com|Bia|Ana|horse|argon2/)
})
