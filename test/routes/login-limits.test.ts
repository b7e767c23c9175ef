import t from 'tap'
import { type App, startApi } from '../support/apps.js'
import { newcomer } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { isProblem } from '../support/problems.js'
import { openProxy } from '../support/proxy.js'

const place = await openPlace(t)
const env = { AMQP_URL: '', LOGIN_LIMIT: '2' }
const seed = await startApi(t, place, { AMQP_URL: '', REDIS_URL: '' })
const api = await startApi(t, place, env)
const everyLine = [api.lines]

const login = async (app: App, nickName: string, password: string, remoteAddress: string) =>
  await app.inject({ method: 'POST', url: '/auth/token', payload: { nick_name: nickName, password }, remoteAddress })
const guess = async (app: App, nickName: string, remoteAddress: string) => (await login(app, nickName, 'a wrong guess', remoteAddress)).statusCode
let host = 0
const somewhere = () => `10.1.${host >> 8}.${host++ & 255}`

t.test('a stranger cannot keep a user logged out, from one address or from many', async (t) => {
  const ana = await newcomer(seed)
  const attacker = somewhere()
  for (let time = 0; time < 5; time++) await guess(api, ana.nick_name, attacker)
  t.equal(await guess(api, ana.nick_name, attacker), 429)
  for (let time = 0; time < 15; time++) t.equal(await guess(api, ana.nick_name, somewhere()), 401)
  t.equal((await login(api, ana.nick_name, ana.password, somewhere())).statusCode, 200)
})

t.test('failures for one name from one address are limited, and say when to come again, however the name is written', async (t) => {
  const [address, other] = [somewhere(), somewhere()]
  const ana = await newcomer(seed, { nick_name: 'Andr\u00e9' })
  t.strictSame([await guess(api, 'Andr\u00e9', address), await guess(api, 'Andre\u0301', address)], [401, 401])
  const response = await login(api, 'Andr\u00e9', ana.password, address)
  isProblem(t, response, 429, 'too-many-requests')
  t.match(response.headers['retry-after'], /^([1-9]|[1-5]\d|60)$/)
  t.strictSame([await guess(api, 'nobody', other), await guess(api, 'nobody', other), await guess(api, 'nobody', other)], [401, 401, 429], 'known or not')
})

t.test('a user who logs in rightly is never limited', async (t) => {
  const [ana, address] = [await newcomer(seed), somewhere()]
  for (let time = 0; time < 10; time++) t.equal((await login(api, ana.nick_name, ana.password, address)).statusCode, 200)
})

t.test('one address may fail for several names, not for very many', async (t) => {
  const address = somewhere()
  const statuses = []
  for (let name = 0; name < 22; name++) statuses.push(await guess(api, `nobody-${name}`, address))
  t.strictSame(statuses, [...Array(20).fill(401), 429, 429])
})

t.test('addresses of IPv6 count by their first half, those of IPv4 as themselves in either form', async (t) => {
  t.strictSame([await guess(api, 'six', '2001:db8:1:2::1'), await guess(api, 'six', '2001:db8:1:2:ffff::2'), await guess(api, 'six', '2001:db8:1:2:3:4:5:6')], [401, 401, 429])
  t.equal(await guess(api, 'six', '2001:db8:1:3::1'), 401)
  t.strictSame([await guess(api, 'four', '10.9.9.9'), await guess(api, 'four', '::ffff:10.9.9.9'), await guess(api, 'four', '10.9.9.9')], [401, 401, 429])
  t.equal(await guess(api, 'four', '10.9.9.8'), 401)
})

t.test('all apis count together, and Redis holds neither names nor addresses, nor anything for long', needs('redis'), async (t) => {
  const other = await startApi(t, place, env)
  everyLine.push(other.lines)
  const address = somewhere()
  t.strictSame([await guess(api, 'shared-name', address), await guess(other, 'shared-name', address)], [401, 401])
  t.strictSame([await guess(api, 'shared-name', address), await guess(other, 'shared-name', address)], [429, 429])
  const keys = await place.redis!.keys(`${place.redisPrefix}count:*`)
  t.ok(keys.length >= 3)
  for (const key of keys) {
    t.notMatch(key, /shared|10\.1\.|nobody/)
    const left = await place.redis!.pttl(key)
    t.ok(left === -2 || (left > 0 && left <= 60_000), `${key}: ${left} ms`)
  }
})

t.test('registrations from one address are limited by all apis together', needs('redis'), async (t) => {
  const other = await startApi(t, place, env)
  const address = somewhere()
  const register = async (app: App) => (await app.inject({ method: 'POST', url: '/users', payload: {}, remoteAddress: address })).statusCode
  t.strictSame([await register(api), await register(other), await register(api), await register(other)], [400, 400, 429, 429])
})

t.test('with Redis silent each api counts for itself, and nobody waits long', needs('redis'), async (t) => {
  const proxy = await openProxy(t, place.env.REDIS_URL!)
  const alone = await startApi(t, place, { ...env, REDIS_URL: proxy.url, REDIS_TIMEOUT_MS: '50' })
  everyLine.push(alone.lines)
  const [ana, address] = [await newcomer(seed), somewhere()]
  proxy.mode = 'mute'
  t.strictSame([await guess(alone, ana.nick_name, address), await guess(alone, ana.nick_name, address), await guess(alone, ana.nick_name, address)], [401, 401, 429])
  t.equal((await login(alone, ana.nick_name, ana.password, somewhere())).statusCode, 200)
})

t.test('each failed login is a line that tells by keyed hashes who was tried from where', async (t) => {
  const [address, elsewhere] = [somewhere(), somewhere()]
  const before = api.lines.length
  const response = await login(api, 'tried', 'a wrong guess', address)
  for (const from of [address, address, elsewhere]) await guess(api, 'tried', from)
  await guess(api, 'tried-too', address)
  const lines = api.lines.slice(before).filter(({ event }) => event === 'login_failed') as unknown as Array<Record<'name_hash' | 'address_hash' | 'reason' | 'request_id', string>>
  t.strictSame(lines.map(({ reason }) => reason), ['wrong_credentials', 'wrong_credentials', 'too_many_requests', 'wrong_credentials', 'wrong_credentials'])
  const [first, second, third, far, another] = lines
  t.equal(first!.request_id, response.headers['x-request-id'])
  for (const { name_hash, address_hash } of [second!, third!]) t.strictSame([name_hash, address_hash], [first!.name_hash, first!.address_hash])
  t.strictSame([far!.name_hash === first!.name_hash, far!.address_hash === first!.address_hash], [true, false])
  t.strictSame([another!.name_hash === first!.name_hash, another!.address_hash === first!.address_hash], [false, true])
  const otherKey = await startApi(t, place, { ...env, REDIS_URL: '', PSEUDONYM_KEY: 'another-key-that-is-long-enough-for-it' })
  await guess(otherKey, 'tried', address)
  const { name_hash } = otherKey.lines.find(({ event }) => event === 'login_failed') as unknown as { name_hash: string }
  t.match(name_hash, /^[\w-]{22}$/)
  t.not(name_hash, first!.name_hash, 'without the key nobody can try names')
})

t.test('of all this no name, password or address was logged', async (t) => {
  for (const line of everyLine.flat().map((one) => JSON.stringify(one))) t.notMatch(line, /tried|nobody|Andr|guess|horse|"10\.1\.|2001:db8/)
})
