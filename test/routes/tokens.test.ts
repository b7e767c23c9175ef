import type { Response } from 'light-my-request'
import t from 'tap'
import { type App, startApi } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { newcomer, newOperator, type Person } from '../support/people.js'
import { needs, openPlace, shutDatabase } from '../support/place.js'
import { isProblem } from '../support/problems.js'
import { claimsOf, goodClaims, signToken } from '../support/tokens.js'

interface Token { access_token: string, token_type: string, expires_in: number }

const place = await openPlace(t)
const secret = place.env.JWT_SECRET!
const api = await startApi(t, place)
const ana = await newcomer(api)
const now = () => Math.floor(Date.now() / 1000)
const sign = (given: Record<string, unknown> = {}, by = secret) => signToken(by, goodClaims(ana.user_id, given))

const asks = async (authorization: string | undefined, app: App = api) => await app.inject({ url: '/orders', headers: authorization === undefined ? {} : { authorization } })
const renew = async (token: string, app: App = api) => await app.inject({ method: 'POST', url: '/auth/token/renew', headers: { authorization: `Bearer ${token}` } })
const logIn = async ({ nick_name: name, password }: Pick<Person, 'nick_name' | 'password'>, app: App = api): Promise<Response> =>
  await app.inject({ method: 'POST', url: '/auth/token', payload: { nick_name: name, password } })

t.test('a login gives a token of 900 seconds that says who, which role and since when', async (t) => {
  const before = now()
  const response = await logIn(ana)
  t.equal(response.statusCode, 200)
  t.equal(response.headers['cache-control'], 'no-store')
  const token = response.json<Token>()
  t.match(token, { token_type: 'Bearer', expires_in: 900 })
  t.strictSame(Object.keys(token).sort(), ['access_token', 'expires_in', 'token_type'])
  const claims = claimsOf(token.access_token) as { exp: number, iat: number, auth_time: number }
  t.match(claims, { sub: String(ana.user_id), role: 'customer', iss: 'comanda', aud: 'comanda' })
  t.equal(claims.exp - claims.iat, 900)
  t.strictSame(JSON.parse(Buffer.from(token.access_token.split('.')[0]!, 'base64url').toString()), { alg: 'HS256', typ: 'at+jwt' })
  t.ok(claims.exp >= before + 900 && claims.exp <= now() + 900)
  t.ok(claims.auth_time >= before && claims.auth_time <= now())
  t.equal((await asks(`Bearer ${token.access_token}`)).statusCode, 200)
  t.equal(claimsOf(token.access_token).epoch, 0)
  t.equal((await asks(`bEARER ${token.access_token}`)).statusCode, 200, 'the scheme in any case')
  t.equal((await asks(`Bearer   ${token.access_token}`)).statusCode, 200, 'and any number of spaces behind it')
})

t.test('a wrong password and an unknown name are answered alike, in the same time', async (t) => {
  const wrong = async () => await logIn({ ...ana, password: 'wrong horse battery' })
  const unknown = async () => await logIn({ ...ana, nick_name: 'nobody' })
  const plain = (response: Response) => ({ ...isProblem(t, response, 401, 'wrong-credentials'), request_id: '' })
  t.strictSame(plain(await wrong()), plain(await unknown()))
  const fastest = async (ask: () => Promise<unknown>) => {
    const times: number[] = []
    for (let round = 0; round < 5; round++) {
      const started = performance.now()
      await ask()
      times.push(performance.now() - started)
    }
    return Math.min(...times)
  }
  const [a, b] = [await fastest(wrong), await fastest(unknown)]
  t.ok(b > a / 5, `unknown ${b.toFixed(1)} ms, wrong ${a.toFixed(1)} ms`)
})

t.test('a login that breaks the rules of passwords is wrong, not invalid: rules are for registering', async (t) => {
  isProblem(t, await logIn({ nick_name: 'with space', password: 'short' }), 401, 'wrong-credentials')
})

t.test('without a token, and with none that this service issued, everything is 401', async (t) => {
  const payloadOf = (token: string) => token.split('.')[1]!
  const [mine, others] = [sign(), signToken(secret, goodClaims(ana.user_id + 1))]
  const table: Record<string, [authorization: string | undefined, type: string]> = {
    'no token': [undefined, 'token-missing'],
    'another scheme': ['Basic YW5hOng=', 'token-invalid'],
    'the token alone': [mine, 'token-invalid'],
    'Bearer and nothing': ['Bearer', 'token-invalid'],
    garbage: ['Bearer garbage', 'token-invalid'],
    'garbage in three parts': ['Bearer a.b.c', 'token-invalid'],
    'a fourth part': [`Bearer ${mine}.x`, 'token-invalid'],
    'two tokens': [`Bearer ${mine}, Bearer ${mine}`, 'token-invalid'],
    'alg none without signature': [`Bearer ${signToken(secret, goodClaims(1), { alg: 'none' }).replace(/[^.]+$/, '')}`, 'token-invalid'],
    'alg none with a signature': [`Bearer ${signToken(secret, goodClaims(1), { alg: 'none', typ: 'at+jwt' })}`, 'token-invalid'],
    'no alg': [`Bearer ${signToken(secret, goodClaims(1), { typ: 'at+jwt' })}`, 'token-invalid'],
    'HS512 by the right secret': [`Bearer ${signToken(secret, goodClaims(1), { alg: 'HS512', typ: 'at+jwt' }, 'sha512')}`, 'token-invalid'],
    'RS256 by name only': [`Bearer ${signToken(secret, goodClaims(1), { alg: 'RS256', typ: 'at+jwt' })}`, 'token-invalid'],
    'another secret': [`Bearer ${sign({}, 'y'.repeat(40))}`, 'token-invalid'],
    'an empty secret': [`Bearer ${sign({}, '')}`, 'token-invalid'],
    'somebody else\'s claims under this signature': [`Bearer ${mine.replace(payloadOf(mine), payloadOf(others))}`, 'token-invalid'],
    'no exp': [`Bearer ${sign({ exp: undefined })}`, 'token-invalid'],
    'no sub': [`Bearer ${sign({ sub: undefined })}`, 'token-invalid'],
    'no role': [`Bearer ${sign({ role: undefined })}`, 'token-invalid'],
    'no auth_time': [`Bearer ${sign({ auth_time: undefined })}`, 'token-invalid'],
    'no issuer': [`Bearer ${sign({ iss: undefined })}`, 'token-invalid'],
    'another issuer': [`Bearer ${sign({ iss: 'other' })}`, 'token-invalid'],
    'another audience': [`Bearer ${sign({ aud: 'other' })}`, 'token-invalid'],
    'exp as text': [`Bearer ${sign({ exp: '9999999999' })}`, 'token-invalid'],
    'not valid yet': [`Bearer ${sign({ nbf: now() + 60 })}`, 'token-invalid'],
    'the type of another kind of JWT': [`Bearer ${signToken(secret, goodClaims(ana.user_id), { alg: 'HS256', typ: 'JWT' })}`, 'token-invalid'],
    'no type': [`Bearer ${signToken(secret, goodClaims(ana.user_id), { alg: 'HS256' })}`, 'token-invalid'],
    'no iat': [`Bearer ${sign({ iat: undefined })}`, 'token-invalid'],
    'no user\'s id': [`Bearer ${sign({ sub: '1e1' })}`, 'token-invalid'],
    'no role that there is': [`Bearer ${sign({ role: 'root' })}`, 'token-invalid'],
    expired: [`Bearer ${sign({ exp: now() - 1 })}`, 'token-expired'],
    'expired and by another secret': [`Bearer ${sign({ exp: now() - 1 }, 'y'.repeat(40))}`, 'token-invalid'],
    '8 KB of garbage': [`Bearer ${'x'.repeat(8192)}`, 'token-invalid'],
    '8 KB in three parts': [`Bearer ${'x'.repeat(2700)}.${'y'.repeat(2700)}.${'z'.repeat(2700)}`, 'token-invalid'],
    '8 KB of claims by another secret': [`Bearer ${sign({ more: 'x'.repeat(6000) }, 'y'.repeat(40))}`, 'token-invalid']
  }
  for (const [name, [authorization, type]] of Object.entries(table)) {
    const response = await asks(authorization)
    isProblem(t, response, 401, type, name)
    t.equal(response.headers['www-authenticate'], type === 'token-missing' ? 'Bearer' : 'Bearer error="invalid_token"', name)
  }
  t.equal((await asks(`Bearer ${mine}`)).statusCode, 200, 'the table\'s own token is good')
  isProblem(t, await api.inject({ url: `/orders?access_token=${mine}` }), 401, 'token-missing', 'a token in the query')
})

t.test('a token that is signed rightly and lives longer than any that is issued is refused', async (t) => {
  const table: Record<string, Record<string, unknown>> = {
    'a life of a second too many': { exp: now() + 901 },
    'a life of ten years': { exp: now() + 10 * 365 * 86_400 },
    'issued in the future': { iat: now() + 120, exp: now() + 900 },
    'issued in a year, for a quarter of an hour': { iat: now() + 365 * 86_400, exp: now() + 365 * 86_400 + 900 },
    'issued long ago': { iat: now() - 3600, exp: now() + 900 },
    'a login in the future': { auth_time: now() + 120 },
    'a login of the day before': { auth_time: now() - 24 * 3600 },
    'a login in milliseconds': { auth_time: Date.now() },
    'a login as text': { auth_time: String(now()) },
    'an issue as text': { iat: String(now()) },
    'an epoch as text': { epoch: '99' },
    'an epoch without end': { epoch: 1e300 },
    'an epoch before the first': { epoch: -1 },
    'an epoch that no table holds': { epoch: 2147483648 },
    'a user that no table holds': { sub: '2147483648' },
    'a user of ten nines': { sub: '9999999999' }
  }
  for (const [name, claims] of Object.entries(table)) isProblem(t, await asks(`Bearer ${sign(claims)}`), 401, 'token-invalid', name)
  for (const claims of [{}, { iat: now() + 30 }, { auth_time: now() + 30 }, { iat: now() - 890, exp: now() + 10 }, { auth_time: now() - 12 * 3600 + 900 }]) {
    t.equal((await asks(`Bearer ${sign(claims)}`)).statusCode, 200, `${JSON.stringify(claims)} is what an api with a clock half a minute off issues`)
  }
})

t.test('without a token nothing of the input is looked at', async (t) => {
  isProblem(t, await api.inject({ method: 'POST', url: '/orders', payload: { x: 1 } }), 401, 'token-missing')
  isProblem(t, await api.inject({ method: 'POST', url: '/orders', payload: '{', headers: { 'content-type': 'application/json' } }), 401, 'token-missing')
  isProblem(t, await api.inject({ url: '/orders/42' }), 401, 'token-missing')
})

t.test('renewing gives a fresh token of the same session', async (t) => {
  const old = sign({ auth_time: now() - 3600, iat: now() - 800, exp: now() + 100 })
  const response = await renew(old)
  t.equal(response.statusCode, 200)
  t.equal(response.headers['cache-control'], 'no-store')
  const { access_token: token, expires_in: left, token_type: type } = response.json<Token>()
  t.strictSame([left, type], [900, 'Bearer'])
  const [before, after] = [claimsOf(old), claimsOf(token)]
  t.strictSame([after.sub, after.role, after.auth_time], [before.sub, before.role, before.auth_time])
  t.ok(Number(after.exp) >= now() + 899)
  t.equal((await asks(`Bearer ${token}`)).statusCode, 200)
  isProblem(t, await renew(sign({ exp: now() - 1 })), 401, 'token-expired')
})

t.test('a session ends after twelve hours, however often it is renewed', async (t) => {
  const { expires_in: left } = (await renew(sign({ auth_time: now() - 12 * 3600 + 100, exp: now() + 100 }))).json<Token>()
  t.ok(left <= 100 && left >= 98, `${left} s are left`)
  isProblem(t, await renew(sign({ auth_time: now() - 12 * 3600, exp: now() + 30 })), 401, 'session-over')
  isProblem(t, await renew(sign({ auth_time: now() - 13 * 3600 })), 401, 'token-invalid', 'no such token is issued')
})

t.test('renewing works with Postgres shut, logging in does not', needs('redis'), async (t) => {
  const open = await shutDatabase(place)
  try {
    const { access_token: token } = (await renew(sign())).json<Token>()
    t.ok(token)
    const response = await logIn(ana)
    isProblem(t, response, 503, 'unavailable')
    t.match(response.headers['retry-after'], /^\d+$/)
  } finally {
    await open()
  }
  await eventually('Postgres is back', async () => (await logIn(ana)).statusCode === 200)
})

t.test('while a secret is rotated tokens of the previous one are good, and of a third are not', async (t) => {
  const [newer, older, third] = ['n'.repeat(32), 'o'.repeat(32), 't'.repeat(32)]
  const rotating = await startApi(t, place, { JWT_SECRET: `${newer},${older}`, AMQP_URL: '', REDIS_URL: '' })
  for (const by of [newer, older]) t.equal((await asks(`Bearer ${sign({}, by)}`, rotating)).statusCode, 200)
  isProblem(t, await asks(`Bearer ${sign({}, third)}`, rotating), 401, 'token-invalid')
  isProblem(t, await asks(`Bearer ${sign({ exp: now() - 1 }, older)}`, rotating), 401, 'token-expired')
  isProblem(t, await asks(`Bearer ${sign({ aud: 'other' }, older)}`, rotating), 401, 'token-invalid')
  const rotated = await startApi(t, place, { JWT_SECRET: newer, AMQP_URL: '', REDIS_URL: '' })
  const { access_token: token } = (await renew(sign({}, older), rotating)).json<Token>()
  t.equal((await asks(`Bearer ${token}`, rotated)).statusCode, 200, 'what is issued is signed by the newer one')
  isProblem(t, await asks(`Bearer ${sign({}, older)}`, rotated), 401, 'token-invalid')
})

t.test('after three failures a minute from one address the next login from there is 429', async (t) => {
  const limited = await startApi(t, place, { LOGIN_LIMIT: '3', AMQP_URL: '', REDIS_URL: '' })
  const from = async (remoteAddress: string, password: string, headers = {}) => await limited.inject({ method: 'POST', url: '/auth/token', remoteAddress, headers, payload: { nick_name: ana.nick_name, password } })
  t.strictSame([(await from('10.0.0.1', 'wrong')).statusCode, (await from('10.0.0.1', ana.password)).statusCode, (await from('10.0.0.1', 'wrong')).statusCode, (await from('10.0.0.1', 'wrong')).statusCode], [401, 200, 401, 401])
  const response = await from('10.0.0.1', ana.password)
  isProblem(t, response, 429, 'too-many-requests')
  const wait = Number(response.headers['retry-after'])
  t.ok(wait >= 1 && wait <= 60, `Retry-After: ${wait}`)
  t.equal((await from('10.0.0.1', ana.password, { 'x-forwarded-for': '10.9.9.9' })).statusCode, 429, 'a claimed address is not believed')
  t.equal((await logIn(await newcomer(api), limited)).statusCode, 200, 'another address')
  t.equal((await renew(sign(), limited)).statusCode, 200, 'renewing is not limited')
})

t.test('behind a trusted proxy each client has a limit of its own', async (t) => {
  const limited = await startApi(t, place, { LOGIN_LIMIT: '1', TRUST_PROXY: '10.0.0.1', AMQP_URL: '', REDIS_URL: '' })
  const from = async (client: string, remoteAddress = '10.0.0.1') => (await limited.inject({ method: 'POST', url: '/auth/token', remoteAddress, headers: { 'x-forwarded-for': client }, payload: { nick_name: ana.nick_name, password: 'wrong' } })).statusCode
  t.strictSame([await from('10.1.0.1'), await from('10.1.0.2'), await from('10.1.0.1')].map((status) => status === 429), [false, false, true])
  t.strictSame([await from('10.1.0.3', '10.0.0.9'), await from('10.1.0.4', '10.0.0.9')].map((status) => status === 429), [false, true], 'another peer is no proxy')
})

t.test('a token of the role operator opens the operators\' list', async (t) => {
  const operator = await newOperator(api, place)
  t.equal((await api.inject({ url: `/orders?user_id=${ana.user_id}`, headers: operator.headers })).statusCode, 200)
  isProblem(t, await api.inject({ url: `/orders?user_id=${operator.user_id}`, headers: ana.headers }), 403, 'forbidden')
})
