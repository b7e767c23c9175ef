import { hash } from '@node-rs/argon2'
import type { Response } from 'light-my-request'
import t from 'tap'
import { newCpf } from '../../testkit/cpf.js'
import { startApi } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { newcomer, registration } from '../support/people.js'
import { openPlace, shutDatabase } from '../support/place.js'
import { isProblem, pointersOf } from '../support/problems.js'

const place = await openPlace(t)
const api = await startApi(t, place, { AMQP_URL: '', REDIS_URL: '' })

const register = async (given: Record<string, unknown> = {}): Promise<Response> => await api.inject({ method: 'POST', url: '/users', payload: { ...registration(), ...given } })
const logsIn = async (name: string, password: string) => (await api.inject({ method: 'POST', url: '/auth/token', payload: { nick_name: name, password } })).statusCode === 200
const known = async () => (await place.pool.query('select 1 from users')).rowCount

t.test('who registers is answered 201 with everything but the password', async (t) => {
  const person = registration()
  const before = Date.now()
  const response = await register(person)
  t.equal(response.statusCode, 201)
  const user = response.json<Record<string, string> & { user_id: number }>()
  const { password, ...shown } = person
  t.strictSame(user, { user_id: user.user_id, ...shown, role: 'customer', created_at: user.created_at, updated_at: user.created_at })
  t.ok(Number.isInteger(user.user_id) && user.user_id > 0)
  t.equal(response.headers.location, `/users/${user.user_id}`)
  t.match(user.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  t.ok(Math.abs(Date.parse(user.created_at!) - before) < 5000)
  t.notOk(response.body.includes(password))
  t.ok(await logsIn(person.nick_name, password))
})

t.test('a password is kept as argon2id in PHC form, each with its own salt', async (t) => {
  const password = 'the same for both'
  const ids = [(await register({ password })).json<{ user_id: number }>().user_id, (await register({ password })).json<{ user_id: number }>().user_id]
  const { rows } = await place.pool.query<{ password: string }>('select password from users where user_id = any($1)', [ids])
  for (const row of rows) t.match(row.password, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22,}\$[\w+/]{43}$/)
  t.equal(new Set(rows.map((row) => row.password)).size, 2)
})

t.test('a password that was hashed at another cost is hashed again at the next login, and its sessions go on', async (t) => {
  const ana = await newcomer(api)
  const hashed = async () => (await place.pool.query<{ password: string }>('select password from users where user_id = $1', [ana.user_id])).rows[0]!.password
  await place.pool.query('update users set password = $2 where user_id = $1', [ana.user_id, await hash(ana.password, { memoryCost: 8192, timeCost: 1, parallelism: 1 })])
  t.ok(await logsIn(ana.nick_name, ana.password))
  await eventually('it is hashed again', async () => (await hashed()).startsWith('$argon2id$v=19$m=19456,t=2,p=1$'))
  const now = await hashed()
  t.equal((await api.inject({ url: '/users/me', headers: ana.headers })).statusCode, 200)
  t.ok(await logsIn(ana.nick_name, ana.password))
  t.equal(await hashed(), now, 'once')
})

t.test('names with accents and emoji, and everything at its greatest length, are stored as given', async (t) => {
  const longest = { nick_name: '🌺'.repeat(50), full_name: 'Ç'.repeat(49) + '🌺', password: '🌺🌻'.repeat(64), email: `${'a'.repeat(50 - '@example.com'.length)}@example.com`, phone_number: '+55 (11) 91234-5678 90123' }
  const response = await register(longest)
  t.equal(response.statusCode, 201, response.body)
  const { password, ...shown } = longest
  t.match(response.json(), shown)
  t.ok(await logsIn(longest.nick_name, password))
  t.notOk(await logsIn(longest.nick_name, password.slice(0, -2)), 'every character counts')
  t.equal((await register({ full_name: 'علی\u200cرضا 👩\u200d💻 ❤\ufe0f' })).statusCode, 201, 'joiners and variation selectors too')
  t.equal((await register({ nick_name: 'x', full_name: 'É', password: 'äö'.repeat(4), phone_number: '1234567' })).statusCode, 201, 'and at its least')
})

t.test('a nick_name and a CPF belong to one person, and which was taken is told to nobody', async (t) => {
  const person = registration()
  t.equal((await register(person)).statusCode, 201)
  const answers = [await register({ nick_name: person.nick_name }), await register({ cpf: person.cpf }), await register(person)]
  const bodies = answers.map((answer) => ({ ...isProblem(t, answer, 409, 'account-taken'), request_id: '' }))
  t.strictSame(bodies, bodies.map(() => bodies[0]))
  t.equal((await register({ ...person, nick_name: 'another', cpf: newCpf() })).statusCode, 201, 'all else may be the same')
  t.equal((await register({ nick_name: person.nick_name.toUpperCase() })).statusCode, 201, 'a name in capitals is another name')
})

t.test('names that look the same collide, and log in alike', async (t) => {
  const [composed, decomposed] = ['Jos\u00e9', 'Jose\u0301']
  const { password } = registration()
  const response = await register({ nick_name: decomposed, password })
  t.equal(response.json<{ nick_name: string }>().nick_name, composed, 'it is stored composed')
  isProblem(t, await register({ nick_name: composed }), 409, 'account-taken')
  isProblem(t, await register({ nick_name: decomposed }), 409, 'account-taken')
  t.ok(await logsIn(composed, password))
  t.ok(await logsIn(decomposed, password))
})

t.test('of several who want one name at once exactly one gets it', async (t) => {
  const answers = await Promise.all(Array.from({ length: 5 }, async () => await register({ nick_name: 'wanted' })))
  t.strictSame(answers.map(({ statusCode }) => statusCode).sort(), [201, 409, 409, 409, 409])
})

t.test('a registration that breaks the rules is 400, names every place, and stores nobody', async (t) => {
  const before = await known()
  const table: Array<[given: Record<string, unknown>, pointers: string[]]> = [
    [{ nick_name: '' }, ['#/nick_name']],
    [{ nick_name: 'two words' }, ['#/nick_name']],
    [{ nick_name: 'a\u0000' }, ['#/nick_name']],
    [{ nick_name: 'a\u0007' }, ['#/nick_name']],
    ...['ana\u200b', 'a\u2060na', 'an\u00ada', '\u202eana', 'ana\u{e0041}', 'ana\ufe0f', '\u3164', '\u2800', '\u115f\u1160', 'ana\u034f', 'ana\u{e0fff}', 'ana\ue000', '\u200d'].map((nick_name): [Record<string, unknown>, string[]] => [{ nick_name }, ['#/nick_name']]),
    ...['\u200b', '\u200d\ufe0f', '\u3164', '\u2800 ', 'Ana\u202e', 'Ana\u00ad', 'Ana\u{e0041}', 'Ana\u0007', 'Ana\u0378'].map((full_name): [Record<string, unknown>, string[]] => [{ full_name }, ['#/full_name']]),
    [{ nick_name: 'x'.repeat(51) }, ['#/nick_name']],
    [{ nick_name: '\u0958'.repeat(26) }, ['#/nick_name']], // 52 characters once it is in NFC
    [{ nick_name: 7 }, ['#/nick_name']],
    [{ password: 'short' }, ['#/password']],
    [{ password: 'x'.repeat(129) }, ['#/password']],
    [{ password: 'long enough\u0000' }, ['#/password']],
    [{ full_name: ' ' }, ['#/full_name']],
    [{ full_name: 'x'.repeat(51) }, ['#/full_name']],
    [{ full_name: '🌺'.repeat(51) }, ['#/full_name']],
    [{ cpf: '52998224724' }, ['#/cpf']],
    [{ cpf: '529.982.247-25' }, ['#/cpf']],
    [{ cpf: '11111111111' }, ['#/cpf']],
    [{ cpf: '٥٢٩٩٨٢٢٤٧٢٥' }, ['#/cpf']],
    [{ cpf: 52998224725 }, ['#/cpf']],
    [{ email: 'ana' }, ['#/email']],
    [{ email: 'ana@example.com\u0000' }, ['#/email']],
    [{ email: `${'a'.repeat(50)}@example.com` }, ['#/email']],
    [{ phone_number: '123' }, ['#/phone_number']],
    [{ phone_number: 'call me maybe' }, ['#/phone_number']],
    [{ phone_number: '1'.repeat(26) }, ['#/phone_number']],
    [{ role: 'operator', user_id: 1 }, ['#/role', '#/user_id']],
    [{ cpf: undefined, email: null, password: '', more: 1 }, ['#/cpf', '#/email', '#/more', '#/password']]
  ]
  for (const [given, pointers] of table) {
    const problem = isProblem(t, await register(given), 400, 'validation-failed', JSON.stringify(given))
    t.strictSame(pointersOf(problem), pointers, JSON.stringify(given))
  }
  t.equal(await known(), before)
})

t.test('a weak password is refused with the reason, on registering and on changing it, and is not told back', async (t) => {
  const before = await known()
  const person = registration()
  for (const password of ['password', 'PassWord', 'iloveyou', '12345678', '        ', 'aaaaaaaa', person.nick_name, `${person.cpf}`, person.email, 'e\u0301'.repeat(4)]) {
    const response = await register({ ...person, password })
    const problem = isProblem(t, response, 400, 'weak-password', password)
    t.strictSame(pointersOf(problem), ['#/password'])
    if (password !== 'password') t.notOk(response.body.includes(password))
  }
  t.equal(await known(), before)
  const ana = await newcomer(api)
  const change = await api.inject({ method: 'PUT', url: '/users/me/password', headers: ana.headers, payload: { password: ana.password, new_password: 'Football' } })
  t.match(isProblem(t, change, 400, 'weak-password'), { errors: [{ pointer: '#/new_password', detail: 'is a common password' }] })
  t.ok(await logsIn(ana.nick_name, ana.password))
})

t.test('a fault is told without the value that was sent', async (t) => {
  const body = (await register({ password: 'hunter2', cpf: '52998224724', email: 'canary', phone_number: 'canary' })).body
  t.notMatch(body, /hunter2|52998224724|canary/)
})

t.test('registrations are limited from each address, as logins are', async (t) => {
  const limited = await startApi(t, place, { LOGIN_LIMIT: '2', AMQP_URL: '', REDIS_URL: '' })
  const from = async (remoteAddress: string) => await limited.inject({ method: 'POST', url: '/users', remoteAddress, payload: registration() })
  t.strictSame([(await from('10.0.0.1')).statusCode, (await from('10.0.0.1')).statusCode], [201, 201])
  isProblem(t, await from('10.0.0.1'), 429, 'too-many-requests')
  t.equal((await from('10.0.0.2')).statusCode, 201)
})

t.test('with Postgres shut nobody is registered, and told to come again', async (t) => {
  const before = await known()
  const open = await shutDatabase(place)
  try {
    const response = await register()
    isProblem(t, response, 503, 'unavailable')
    t.match(response.headers['retry-after'], /^\d+$/)
  } finally {
    await open()
  }
  t.equal(await known(), before)
})
