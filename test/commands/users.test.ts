import t from 'tap'
import { ensureOperator } from '../../local/operator.js'
import { runPromote } from '../../src/commands/users.js'
import { startApi } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { limitOf } from '../support/limits.js'
import { newcomer, newOperator, type Person } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { runComanda } from '../support/processes.js'
import { claimsOf } from '../support/tokens.js'

const place = await openPlace(t)
const api = await startApi(t, place, { AMQP_URL: '', REDIS_URL: '' })
const env = { DATABASE_URL: place.env.DATABASE_URL! }

const login = async ({ nick_name: name, password }: Pick<Person, 'nick_name' | 'password'>) =>
  (await api.inject({ method: 'POST', url: '/auth/token', payload: { nick_name: name, password } })).json<{ access_token: string }>().access_token
const roles = async () => (await place.pool.query<{ nick_name: string, role: string }>('select nick_name, role from users order by user_id')).rows.map((row) => `${row.nick_name} ${row.role}`)

t.test('comanda users promote makes a user an operator, by user_id or by a name that is confirmed, and says so in one line', async (t) => {
  const [ana, bia, caio] = [await newcomer(api, { nick_name: 'Jos\u00e9' }), await newcomer(api), await newcomer(api)]
  for (const [who, args] of [[ana, ['Jose\u0301', '--yes']], [bia, [String(bia.user_id)]]] as const) {
    const command = runComanda(t, ['users', 'promote', ...args], env)
    t.equal(await command.exited, 0)
    t.equal(command.output.length, 1)
    t.match(command.output[0], new RegExp(`^user ${who.user_id} is an operator`))
    t.equal(claimsOf(await login(who)).role, 'operator')
  }
  t.strictSame(await roles(), [`${ana.nick_name} operator`, `${bia.nick_name} operator`, `${caio.nick_name} customer`])
})

t.test('a name without a terminal to confirm it at, and without --yes, changes nothing and says so', async (t) => {
  const ana = await newcomer(api)
  const before = await roles()
  const command = runComanda(t, ['users', 'promote', ana.nick_name], env)
  t.equal(await command.exited, 1)
  t.strictSame(command.output, ['comanda: a nick_name must be confirmed, and there is no terminal to ask at; give the user_id, or --yes'])
  t.strictSame(await roles(), before)
})

t.test('a name is shown back by its letters, and the user is promoted whom it named then', async (t) => {
  const lookAlike = await newcomer(api, { nick_name: '\u0430dmin\\' }) // the Cyrillic letter
  const asked: string[] = []
  const answering = (answer: string, meanwhile = async () => {}) => ({ isThere: true, ask: async (question: string) => { asked.push(question); await meanwhile(); return answer } })
  for (const answer of ['', 'n', 'no', 'yo']) t.equal(await runPromote(env, lookAlike.nick_name, { yes: false }, answering(answer)), 1)
  t.strictSame(asked, [1, 2, 3, 4].map(() => `Make user ${lookAlike.user_id}, nick_name "\\u{430}dmin\\u{5c}", an operator? [y/N] `))
  t.equal(await runPromote(env, lookAlike.nick_name, { yes: false }, answering('y', async () => {
    await api.inject({ method: 'PATCH', url: '/users/me', headers: lookAlike.headers, payload: { nick_name: 'renamed', password: lookAlike.password } })
    await newcomer(api, { nick_name: lookAlike.nick_name })
  })), 0)
  t.strictSame((await roles()).slice(-2), ['renamed operator', `${lookAlike.nick_name} customer`])
})

t.test('digits are a user_id, whoever has them as a name', async (t) => {
  const ana = await newcomer(api)
  const passing = await newcomer(api, { nick_name: String(ana.user_id) })
  t.equal(await runComanda(t, ['users', 'promote', passing.nick_name, '--yes'], env).exited, 0)
  t.strictSame((await roles()).slice(-2), [`${ana.nick_name} operator`, `${passing.nick_name} customer`])
})

t.test('a user who is not there is exit code 1 and one clear line', async (t) => {
  const gone = await newcomer(api)
  await api.inject({ method: 'DELETE', url: '/users/me', headers: gone.headers, payload: { password: gone.password } })
  const before = await roles()
  const named = ['nobody', gone.nick_name, String(gone.user_id), '2147483647', '99999999999']
  const commands = named.map((user) => runComanda(t, ['users', 'promote', user, '--yes'], env))
  t.strictSame(await Promise.all(commands.map(async ({ exited }) => await exited)), named.map(() => 1))
  t.strictSame(commands.map(({ output }) => output), named.map(() => ['comanda: there is no such user']))
  t.strictSame(await roles(), before)
})

t.test('without a database, or an address of one, it is exit code 1 and says what is missing', async (t) => {
  const commands = [{}, { DATABASE_URL: 'postgres://127.0.0.1:1/x' }].map((given) => runComanda(t, ['users', 'promote', '1'], given as Record<string, string>))
  t.strictSame(await Promise.all(commands.map(async ({ exited }) => await exited)), [1, 1])
  const [unset, away] = commands.map(({ output }) => output.join('\n'))
  t.match(unset, /DATABASE_URL/)
  t.match(away, /^comanda: (unavailable: )?connect ECONNREFUSED 127\.0\.0\.1:1$/)
})

t.test('a lost role ends within a second at every api, and so do all sessions; each is recorded', needs('redis'), async (t) => {
  const apis = [await startApi(t, place, { AMQP_URL: '' }), await startApi(t, place, { AMQP_URL: '' })]
  for (const app of apis) await eventually('it follows', () => app.revocations.complete)
  const boss = await newOperator(apis[0]!, place)
  const both = { ...env, REDIS_URL: place.env.REDIS_URL!, REDIS_PREFIX: place.redisPrefix }
  const statuses = async (headers: Person['headers'], url = '/users') => await Promise.all(apis.map(async (app) => (await app.inject({ url, headers })).statusCode))
  t.strictSame(await statuses(boss.headers), [200, 200])
  for (const [args, role, status] of [[['demote'], 'customer', 403], [['promote'], 'operator', 200], [['end-sessions'], 'operator', 200]] as const) {
    const before = { authorization: `Bearer ${await login(boss)}` }
    t.equal((await statuses(before, '/users/me')).join(), '200,200')
    let told = 0
    const refused = eventually('both refuse', async () => (await statuses(before, '/users/me')).every((one) => one === 401)).then(() => performance.now())
    const command = runComanda(t, ['users', ...args, String(boss.user_id), '--by', 'root'], both)
    t.equal(await command.exited, 0, command.output.join('\n'))
    told = performance.now()
    t.ok(await refused - told < limitOf(1000), 'within a second of the command')
    const fresh = await login(boss)
    t.equal(claimsOf(fresh).role, role)
    t.strictSame(await statuses({ authorization: `Bearer ${fresh}` }), [status, status])
  }
  const again = runComanda(t, ['users', 'promote', String(boss.user_id)], both)
  t.equal(await again.exited, 0)
  t.match(again.output, [`user ${boss.user_id} was an operator before`])
  const listed = runComanda(t, ['actions', 'list', '--target', String(boss.user_id), '--json'], env)
  t.equal(await listed.exited, 0)
  t.match(listed.output.map((line) => JSON.parse(line) as object), ['sessions.ended', 'user.promoted', 'user.demoted'].map((action) => ({ actor: 'cli:root', role: null, way: 'cli', action, target_kind: 'user', target_id: String(boss.user_id), request_id: null })))
  t.equal(listed.output.length, 3, 'what changed nothing is none')
})

t.test('where Redis does not take the end of the sessions, the command says so, and it is done in the tables', async (t) => {
  const ana = await newcomer(api)
  const command = runComanda(t, ['users', 'end-sessions', String(ana.user_id)], { ...env, REDIS_URL: 'redis://127.0.0.1:1' })
  t.equal(await command.exited, 2)
  t.match(command.output.join('\n'), /were not told .*15 minutes at most/)
  t.equal((await api.inject({ method: 'POST', url: '/auth/token/renew', headers: ana.headers })).statusCode, 401)
})

t.test('actions are listed by who, what and when', async (t) => {
  const [boss, ana] = [await newOperator(api, place), await newcomer(api)]
  await api.inject({ url: `/users/${ana.user_id}`, headers: boss.headers })
  await api.inject({ method: 'DELETE', url: `/users/${ana.user_id}`, headers: boss.headers })
  const list = async (...args: string[]) => {
    const command = runComanda(t, ['actions', 'list', ...args], env)
    return [await command.exited, command.output.map((line) => line.split('  ').slice(1, 5).join(' '))]
  }
  const [read, erased] = ['read', 'erased'].map((what) => `operator:${boss.user_id} api user.${what} user ${ana.user_id}`)
  t.strictSame(await list('--actor', String(boss.user_id)), [0, [erased, read]])
  t.strictSame(await list('--actor', `operator:${boss.user_id}`, '--limit', '1'), [0, [erased]])
  t.strictSame(await list('--target', String(ana.user_id), '--action', 'user.read'), [0, [read]])
  t.strictSame((await list('--since', '2999-01-01'))[0], 0)
  t.strictSame((await list('--action', 'user.kissed'))[0], 1)
})

t.test('a local start makes its operator once, and says when it cannot', async (t) => {
  const password = 'the password of this machine'
  const url = place.env.DATABASE_URL!
  t.equal(await ensureOperator(url, place.env.PSEUDONYM_KEY!, 'boss', password), true)
  const users = await roles()
  t.ok(users.includes('boss operator'))
  t.equal(await ensureOperator(url, place.env.PSEUDONYM_KEY!, 'boss', 'another password of this machine'), true, 'the same at the next start')
  t.strictSame(await roles(), users)
  t.equal(await ensureOperator(url, place.env.PSEUDONYM_KEY!, 'boss2', password), false, 'the CPF is taken')
  const token = await login({ nick_name: 'boss', password })
  t.equal((await api.inject({ method: 'DELETE', url: '/users/me', headers: { authorization: `Bearer ${token}` }, payload: { password } })).statusCode, 204)
  t.equal(await ensureOperator(url, place.env.PSEUDONYM_KEY!, 'boss', password), false, 'the name stays taken')
})
