import t from 'tap'
import { ensureOperator } from '../../local/operator.js'
import { runPromote } from '../../src/commands/users.js'
import { startApi } from '../support/apps.js'
import { newcomer, type Person } from '../support/people.js'
import { openPlace } from '../support/place.js'
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
    await api.inject({ method: 'PATCH', url: '/users/me', headers: lookAlike.headers, payload: { nick_name: 'renamed' } })
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
  t.match(away, /^comanda: connect ECONNREFUSED 127\.0\.0\.1:1$/)
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
