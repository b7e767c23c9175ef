import { connect } from 'node:net'
import type { Response } from 'light-my-request'
import t from 'tap'
import { type App, boot, isUp, startApi } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { limitOf } from '../support/limits.js'
import { newcomer, newOperator, type Person } from '../support/people.js'
import { needs, openPlace, shutDatabase } from '../support/place.js'
import { isProblem, pointersOf } from '../support/problems.js'
import { openProxy } from '../support/proxy.js'
import { claimsOf, goodClaims, signToken } from '../support/tokens.js'

const place = await openPlace(t)
const env = { AMQP_URL: '' }
const api = await startApi(t, place, env)
const other = await startApi(t, place, env)
const NEW = 'battery staple horse'
const everyLine = [api.lines, other.lines]

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const read = async (app: App, { headers }: Pick<Person, 'headers'>) => await app.inject({ url: '/users/me', headers })
const orders = async (app: App, { headers }: Pick<Person, 'headers'>) => (await app.inject({ url: '/orders', headers })).statusCode
const renew = async (app: App, { headers }: Pick<Person, 'headers'>) => await app.inject({ method: 'POST', url: '/auth/token/renew', headers })
const change = async (app: App, { headers }: Pick<Person, 'headers'>, body: object, id: string | number = 'me', remoteAddress = '127.0.0.1'): Promise<Response> =>
  await app.inject({ method: 'PUT', url: `/users/${id}/password`, headers, payload: body, remoteAddress })
const login = async (app: App, nickName: string, password: string, remoteAddress = '127.0.0.1') =>
  await app.inject({ method: 'POST', url: '/auth/token', payload: { nick_name: nickName, password }, remoteAddress })
const tokenOf = (response: Response) => response.json<{ access_token: string }>().access_token
const refusedIn = async (app: App, person: Pick<Person, 'headers'>) => await eventually('the token is refused', async () => (await read(app, person)).statusCode === 401)

t.test('a new password ends every session begun before, at once and in every process', needs('redis'), async (t) => {
  const ana = await newcomer(api)
  const phone = bearer(tokenOf(await login(other, ana.nick_name, ana.password)))
  for (const app of [api, other]) for (const headers of [ana.headers, phone]) t.equal(await orders(app, { headers }), 200, 'good, and known to be')
  const response = await change(api, ana, { password: ana.password, new_password: NEW })
  t.strictSame([response.statusCode, response.body], [204, ''])
  for (const headers of [ana.headers, phone]) isProblem(t, await read(api, { headers }), 401, 'token-revoked')
  for (const headers of [ana.headers, phone]) await refusedIn(other, { headers })
  isProblem(t, await other.inject({ method: 'POST', url: '/orders', headers: phone, payload: {} }), 401, 'token-revoked')
  isProblem(t, await renew(other, ana), 401, 'token-revoked')
  isProblem(t, await login(api, ana.nick_name, ana.password), 401, 'wrong-credentials')
  const fresh = tokenOf(await login(other, ana.nick_name, NEW))
  for (const app of [api, other]) t.equal((await read(app, { headers: bearer(fresh) })).statusCode, 200)
  t.equal(claimsOf(fresh).epoch, 1)
  t.equal(tokenOf(await renew(api, { headers: bearer(fresh) })).length > 0, true)
})

t.test('a log-out and a new password are known to another api within a second', needs('redis'), async (t) => {
  await eventually('it follows', () => other.revocations.complete)
  const ends = {
    'log-out': async ({ headers }: Person) => await api.inject({ method: 'DELETE', url: '/auth/token', headers }),
    'new password': async (who: Person) => await change(api, who, { password: who.password, new_password: NEW })
  }
  for (const [what, end] of Object.entries(ends)) {
    const ana = await newcomer(api)
    t.equal((await read(other, ana)).statusCode, 200)
    t.equal((await end(ana)).statusCode, 204, what)
    const told = performance.now()
    await refusedIn(other, ana)
    t.ok(performance.now() - told < limitOf(1000), `${what}: it took ${performance.now() - told} ms`)
  }
})

t.test('a request whose body comes after its session was ended is refused, and does nothing', async (t) => {
  const address = new URL(await api.listen({ host: '127.0.0.1', port: 0 }))
  const ana = await newcomer(api)
  const body = JSON.stringify({ phone_number: '+55 11 97777-0000' })
  const socket = connect(Number(address.port), address.hostname)
  t.teardown(() => socket.destroy())
  let answer = ''
  socket.setEncoding('utf8').on('data', (text: string) => { answer += text })
  socket.write(`PATCH /users/me HTTP/1.1\r\nhost: x\r\nauthorization: ${ana.headers.authorization}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n`)
  await eventually('its headers were taken', () => answer.startsWith('HTTP/1.1 100'))
  t.equal((await api.inject({ method: 'DELETE', url: '/auth/token', headers: ana.headers })).statusCode, 204)
  socket.write(body)
  await eventually('it is answered', () => answer.includes('token-revoked'))
  t.match(answer, /HTTP\/1\.1 401 /)
  t.strictSame((await place.pool.query('select from users where user_id = $1 and phone_number like $2', [ana.user_id, '%97777-0000'])).rowCount, 0)
})

t.test('nobody else\'s session ends with it', async (t) => {
  const [ana, bia] = [await newcomer(api), await newcomer(api)]
  t.equal((await change(api, ana, { password: ana.password, new_password: NEW }, ana.user_id)).statusCode, 204)
  t.equal((await read(api, bia)).statusCode, 200)
  t.equal((await renew(api, bia)).statusCode, 200)
})

t.test('the present password must be right: a wrong one is 403 and changes nothing', async (t) => {
  const ana = await newcomer(api)
  isProblem(t, await change(api, ana, { password: 'wrong horse battery', new_password: NEW }), 403, 'wrong-password')
  t.equal((await read(api, ana)).statusCode, 200)
  t.equal((await login(api, ana.nick_name, ana.password)).statusCode, 200)
  t.equal((await login(api, ana.nick_name, NEW)).statusCode, 401)
})

t.test('a password may only be changed by oneself, not even by an operator', async (t) => {
  const [ana, operator] = [await newcomer(api), await newOperator(api, place)]
  isProblem(t, await change(api, operator, { password: ana.password, new_password: NEW }, ana.user_id), 403, 'self-only')
  t.equal((await login(api, ana.nick_name, ana.password)).statusCode, 200)
  t.equal((await change(api, operator, { password: operator.password, new_password: NEW }, operator.user_id)).statusCode, 204)
})

t.test('a change of password that breaks the rules is 400 and tells no value', async (t) => {
  const ana = await newcomer(api)
  const table: Array<[body: object, pointers: string[]]> = [
    [{}, ['#/new_password', '#/password']],
    [{ password: ana.password, new_password: 'short' }, ['#/new_password']],
    [{ password: '', new_password: 'x'.repeat(129) }, ['#/new_password', '#/password']],
    [{ password: ana.password, new_password: NEW, nick_name: 'x' }, ['#/nick_name']]
  ]
  for (const [body, pointers] of table) {
    const response = await change(api, ana, body)
    t.strictSame(pointersOf(isProblem(t, response, 400, 'validation-failed')), pointers)
    t.notMatch(response.body, ana.password)
  }
  t.equal((await read(api, ana)).statusCode, 200)
})

t.test('of two changes of one password at once one wins', async (t) => {
  const ana = await newcomer(api)
  const answers = await Promise.all(['first', 'second'].map(async (which) => await change(api, ana, { password: ana.password, new_password: `${which} ${NEW}` })))
  t.strictSame(answers.map(({ statusCode }) => statusCode).sort(), [204, 403])
  const winner = answers[0]!.statusCode === 204 ? 'first' : 'second'
  t.equal((await login(api, ana.nick_name, `${winner} ${NEW}`)).statusCode, 200)
})

t.test('guessing a password is limited for each user from any address, and from each address for any user', async (t) => {
  const limited = await startApi(t, place, { ...env, REDIS_URL: '', LOGIN_LIMIT: '2' })
  const [ana, bia, carla] = [await newcomer(api), await newcomer(api), await newcomer(api)]
  const guess = async (who: Person, address: string) => await change(limited, who, { password: 'a wrong guess', new_password: NEW }, 'me', address)
  t.strictSame([(await guess(ana, '10.0.0.1')).statusCode, (await guess(ana, '10.0.0.2')).statusCode], [403, 403])
  const response = await guess(ana, '10.0.0.3')
  isProblem(t, response, 429, 'too-many-requests')
  t.match(response.headers['retry-after'], /^[1-9]\d?$/)
  t.equal((await guess(bia, '10.0.0.3')).statusCode, 403, 'somebody else may')
  isProblem(t, await guess(carla, '10.0.0.3'), 429, 'too-many-requests', 'the third from this address')
  t.equal((await guess(carla, '10.0.0.4')).statusCode, 403)
})

t.test('a token of the release before names no epoch and is good until the first one ends', async (t) => {
  const ana = await newcomer(api)
  const old = { headers: bearer(signToken(place.env.JWT_SECRET!, goodClaims(ana.user_id))) }
  t.equal((await read(api, old)).statusCode, 200)
  t.equal(claimsOf(tokenOf(await renew(api, old))).epoch, 0)
  await change(api, old, { password: ana.password, new_password: NEW })
  isProblem(t, await read(api, old), 401, 'token-revoked')
})

t.test('a process that starts later knows what ended before', needs('redis'), async (t) => {
  const ana = await newcomer(api)
  await change(api, ana, { password: ana.password, new_password: NEW })
  await refusedIn(await startApi(t, place, env), ana)
})

t.test('a process that lost its connection learns what ended meanwhile', needs('redis'), async (t) => {
  const proxy = await openProxy(t, place.env.REDIS_URL!)
  const cutOff = await startApi(t, place, { ...env, REDIS_URL: proxy.url })
  const [ana, bia] = [await newcomer(api), await newcomer(api)]
  await eventually('it follows', () => cutOff.revocations.complete)
  proxy.mode = 'refuse'
  proxy.cut()
  await eventually('it knows that it knows not all', () => !cutOff.revocations.complete)
  await change(api, ana, { password: ana.password, new_password: NEW })
  t.equal((await read(cutOff, ana)).statusCode, 200, 'it has not heard')
  proxy.mode = 'pass'
  await refusedIn(cutOff, ana)
  await change(api, bia, { password: bia.password, new_password: NEW })
  await refusedIn(cutOff, bia)
})

t.test('what Redis holds lies under the prefix and expires with the longest session', needs('redis'), async (t) => {
  const ana = await newcomer(api)
  await change(api, ana, { password: ana.password, new_password: NEW })
  const key = `${place.redisPrefix}revocations`
  t.ok((await place.redis!.zrange(key, '0', '-1')).includes(`${ana.user_id} 1`))
  const [seconds, micros] = await place.redis!.time()
  const left = Number(await place.redis!.zscore(key, `${ana.user_id} 1`)) - Number(seconds) * 1000 - Number(micros) / 1000
  t.ok(left > 11.9 * 3_600_000 && left <= 12 * 3_600_000, `${left} ms`)
  t.ok(await place.redis!.pttl(key) > 11.9 * 3_600_000)
  t.strictSame(await place.redis!.pubsub('CHANNELS', `${place.redisPrefix}*`), [key])
})

t.test('though Redis lost every mark, an ended session is not renewed', needs('redis'), async (t) => {
  const ana = await newcomer(api)
  await change(api, ana, { password: ana.password, new_password: NEW })
  await place.redis!.del(`${place.redisPrefix}revocations`)
  const later = await startApi(t, place, env)
  await eventually('it follows', () => later.revocations.complete)
  t.equal((await read(later, ana)).statusCode, 200, 'the token lives on where no mark is left')
  isProblem(t, await renew(later, ana), 401, 'token-revoked')
})

/** As whoever can write to Redis does. */
async function forgeMark (userId: number): Promise<string> {
  const [key, mark] = [`${place.redisPrefix}revocations`, `${userId} 9999`]
  await place.redis!.zadd(key, Date.now() + 3_600_000, mark)
  await place.redis!.publish(key, mark)
  return mark
}
const marks = async () => await place.redis!.zrange(`${place.redisPrefix}revocations`, '0', '-1')

t.test('a mark that the tables know nothing of ends no session, and is taken out of Redis', needs('redis'), async (t) => {
  const ana = await newcomer(api)
  const mark = await forgeMark(ana.user_id)
  for (const app of [api, other]) await eventually('it is heard', () => app.revocations.isRevoked({ user_id: ana.user_id, epoch: 0 }))
  const answers = await Promise.all(Array.from({ length: 5 }, async () => (await read(api, ana)).statusCode))
  t.strictSame(answers, Array.from({ length: 5 }, () => 200))
  t.equal((await read(other, ana)).statusCode, 200)
  await eventually('it is gone', async () => !(await marks()).includes(mark))
  t.equal((await change(api, ana, { password: ana.password, new_password: NEW })).statusCode, 204)
  for (const app of [api, other]) await refusedIn(app, ana)
})

t.test('while the tables cannot be asked a mark is believed, and held against them once they can', needs('redis'), async (t) => {
  const ana = await newcomer(api)
  const open = await shutDatabase(place)
  try {
    await forgeMark(ana.user_id)
    await eventually('it is heard', () => api.revocations.isRevoked({ user_id: ana.user_id, epoch: 0 }))
    isProblem(t, await read(api, ana), 401, 'token-revoked')
  } finally {
    await open()
  }
  await isUp(api, 'postgres')
  t.equal((await read(api, ana)).statusCode, 200)
})

t.test('renewing takes the role that the user has now', async (t) => {
  const ana = await newcomer(api)
  const setRole = async (role: string) => await place.pool.query('update users set role = $1 where user_id = $2', [role, ana.user_id])
  await setRole('operator')
  const promoted = tokenOf(await renew(api, ana))
  t.strictSame([claimsOf(promoted).role, claimsOf(promoted).auth_time], ['operator', claimsOf(ana.headers.authorization.slice(7)).auth_time])
  t.equal((await api.inject({ url: '/users', headers: bearer(promoted) })).statusCode, 200)
  await setRole('customer')
  t.equal(claimsOf(tokenOf(await renew(api, { headers: bearer(promoted) }))).role, 'customer')
})

t.test('with Postgres away the marks decide who is at work still; with both away nobody is renewed', needs('redis'), async (t) => {
  const proxy = await openProxy(t, place.env.REDIS_URL!)
  const app = await startApi(t, place, { ...env, REDIS_URL: proxy.url })
  const [ana, bia] = [await newcomer(api), await newcomer(api)]
  await change(api, bia, { password: bia.password, new_password: NEW })
  await eventually('it follows', () => app.revocations.complete)
  const open = await shutDatabase(place)
  try {
    const { access_token: token, expires_in: left } = (await renew(app, ana)).json<{ access_token: string, expires_in: number }>()
    t.equal(left, 900)
    t.match(claimsOf(token), { sub: String(ana.user_id), role: 'customer', epoch: 0 })
    await refusedIn(app, bia)
    isProblem(t, await renew(app, bia), 401, 'token-revoked')
    proxy.mode = 'refuse'
    proxy.cut()
    await eventually('Redis is away', () => !app.revocations.complete)
    const response = await renew(app, ana)
    isProblem(t, response, 503, 'unavailable')
    t.match(response.headers['retry-after'], /^\d+$/)
  } finally {
    await open()
  }
  await eventually('Postgres alone is enough', async () => (await renew(app, ana)).statusCode === 200)
})

t.test('a process without Redis renews with Postgres and not without', async (t) => {
  const app = await startApi(t, place, { ...env, REDIS_URL: '' })
  const ana = await newcomer(app)
  t.equal((await renew(app, ana)).statusCode, 200)
  const open = await shutDatabase(place)
  try {
    isProblem(t, await renew(app, ana), 503, 'unavailable')
  } finally {
    await open()
  }
})

t.test('with Redis away everything works, and one line says what an ended session means', needs('redis'), async (t) => {
  const proxy = await openProxy(t, place.env.REDIS_URL!)
  proxy.mode = 'refuse'
  const app = await boot(t, 'api', { ...place.env, ...env, REDIS_URL: proxy.url })
  everyLine.push(app.lines)
  for (const one of [app, api]) await isUp(one, 'postgres')
  const ana = await newcomer(app)
  const started = performance.now()
  t.equal((await change(app, ana, { password: ana.password, new_password: NEW })).statusCode, 204)
  t.ok(performance.now() - started < limitOf(4000), 'nothing waits for Redis')
  isProblem(t, await read(app, ana), 401, 'token-revoked')
  const warnings = app.lines.filter(({ event }) => event === 'revocation_not_shared')
  t.equal(warnings.length, 1)
  t.match(warnings[0], { user_id: ana.user_id, token_seconds: 900, reason: /\S/ })
  t.equal((await read(api, ana)).statusCode, 200, 'another process has not heard')
  isProblem(t, await renew(api, ana), 401, 'token-revoked')
  const fresh = { headers: bearer(tokenOf(await login(app, ana.nick_name, NEW))) }
  for (const one of [app, api]) t.strictSame([(await read(one, fresh)).statusCode, (await renew(one, fresh)).statusCode], [200, 200])
})

t.test('of all this no password, token or personal data was logged', async (t) => {
  for (const line of everyLine.flat().map((one) => JSON.stringify(one))) t.notMatch(line, /\b\d{11}\b|@example\.com|horse|guess|argon2|eyJ/)
})
