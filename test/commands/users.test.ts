import t from 'tap'
import { ensureOperator } from '../../local/operator.js'
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

t.test('comanda users promote makes a user an operator, and says so in one line', async (t) => {
  const [ana, bia] = [await newcomer(api, { nick_name: 'Jos\u00e9' }), await newcomer(api)]
  const command = runComanda(t, ['users', 'promote', 'Jose\u0301'], env)
  t.equal(await command.exited, 0)
  t.equal(command.output.length, 1)
  t.match(command.output[0], new RegExp(`^user ${ana.user_id} is an operator`))
  t.strictSame(await roles(), [`${ana.nick_name} operator`, `${bia.nick_name} customer`])
  t.equal(claimsOf(await login(ana)).role, 'operator')
})

t.test('a name that nobody has is exit code 1 and one clear line', async (t) => {
  const gone = await newcomer(api)
  await api.inject({ method: 'DELETE', url: '/users/me', headers: gone.headers })
  const before = await roles()
  const names = ['nobody', gone.nick_name]
  const commands = names.map((name) => runComanda(t, ['users', 'promote', name], env))
  t.strictSame(await Promise.all(commands.map(async ({ exited }) => await exited)), [1, 1])
  t.strictSame(commands.map(({ output }) => output), names.map(() => ['comanda: no user has this nick_name']))
  t.strictSame(await roles(), before)
})

t.test('without a database, or an address of one, it is exit code 1 and says what is missing', async (t) => {
  const commands = [{}, { DATABASE_URL: 'postgres://127.0.0.1:1/x' }].map((given) => runComanda(t, ['users', 'promote', 'ana'], given as Record<string, string>))
  t.strictSame(await Promise.all(commands.map(async ({ exited }) => await exited)), [1, 1])
  const [unset, away] = commands.map(({ output }) => output.join('\n'))
  t.match(unset, /DATABASE_URL/)
  t.match(away, /^comanda: connect ECONNREFUSED 127\.0\.0\.1:1$/)
})

t.test('a local start makes its operator once, and says when it cannot', async (t) => {
  const password = 'the password of this machine'
  const url = place.env.DATABASE_URL!
  t.equal(await ensureOperator(url, 'boss', password), true)
  const users = await roles()
  t.ok(users.includes('boss operator'))
  t.equal(await ensureOperator(url, 'boss', 'another password of this machine'), true, 'the same at the next start')
  t.strictSame(await roles(), users)
  t.equal(await ensureOperator(url, 'boss2', password), false, 'the CPF is taken')
  const token = await login({ nick_name: 'boss', password })
  t.equal((await api.inject({ method: 'DELETE', url: '/users/me', headers: { authorization: `Bearer ${token}` } })).statusCode, 204)
  t.equal(await ensureOperator(url, 'boss', password), false, 'the name stays taken')
})
