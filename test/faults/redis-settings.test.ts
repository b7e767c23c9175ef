import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { findRedis, startRedis } from '../../local/redis.js'
import { type App, boot, startApi, startWorker } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { isFound, lookAt } from '../support/findings.js'
import { freshFolder } from '../support/folders.js'
import { limitOf } from '../support/limits.js'
import { newcomer, place as order, reads } from '../support/people.js'
import { ownRedis as redisWith } from '../support/own-redis.js'
import { openPlace } from '../support/place.js'

/** A Redis as people set it up: users with few rights, a replica, a cluster. */
const place = await openPlace(t)
const real = { skip: findRedis(process.env) === null && 'no redis-server on this machine' }
const downs = (app: App) => app.lines.filter(({ event }) => event === 'redis_down').map(({ reason }) => String(reason))

async function ownRedis (t: Test): Promise<{ url: string, admin: Redis }> {
  const server = await startRedis({ stateDir: freshFolder(t), env: process.env, durable: false })
  const admin = new Redis(server.url)
  t.teardown(async () => {
    await admin.quit()
    await server.stop()
  })
  return { url: server.url, admin }
}

t.test('a user without rights on channels costs one warning and no storm of connections, and ended sessions end elsewhere all the same', real, async (t) => {
  const { url, admin } = await ownRedis(t)
  await admin.call('ACL', 'SETUSER', 'ana', 'on', '>hunter2-of-redis', '~*', 'resetchannels', '+@all')
  const env = { REDIS_URL: url.replace(/\/\/[^@]+@/, '//ana:hunter2-of-redis@') }
  const [api, other] = [await startApi(t, place, env), await startApi(t, place, env)]
  const opened = async () => Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))![1])
  const warnings = (app: App) => app.lines.filter(({ event }) => event === 'redis_rights_missing')
  await eventually('both are told', () => warnings(api).length > 0 && warnings(other).length > 0)
  const before = await opened()
  const ana = await newcomer(api)
  const placed = await order(api, ana)
  t.equal(placed.statusCode, 202)
  t.equal((await other.inject({ url: '/users/me', headers: ana.headers })).statusCode, 200)
  const change = await api.inject({ method: 'PUT', url: '/users/me/password', headers: ana.headers, payload: { password: ana.password, new_password: 'nine quiet lanterns' } })
  t.equal(change.statusCode, 204)
  await eventually('the old token is over at the other api', async () => (await other.inject({ url: '/users/me', headers: ana.headers })).statusCode === 401, 40_000)
  const anew = await opened() - before
  t.ok(anew <= 4, `${anew} connections were opened anew: before there were twenty a second`)
  for (const app of [api, other]) {
    t.equal(warnings(app).length, 1)
    t.match(warnings(app)[0], { commands: ['subscribe', 'publish'], reason: /^NOPERM: allow \+subscribe \+publish and &.*\* \(ACL SETUSER\)$/ })
    const ready = await app.inject('/readyz')
    t.match(ready.json(), { status: 'degraded', services: { redis: { state: 'up', lacks: ['subscribe', 'publish'] } } })
  }
  isFound(t, await lookAt(t, { ...place.env, ...env }), 'redis channel', 'warn', /^user ana may not publish and subscribe on .*revocations \(NOPERM\)/)
})

t.test('a server that is made a replica while connected is left and told, orders are read all the same, and it is used again as a primary', real, async (t) => {
  const { url, admin } = await ownRedis(t)
  const [api, worker] = [await startApi(t, place, { REDIS_URL: url }), await startWorker(t, place, { REDIS_URL: url })]
  const ana = await newcomer(api)
  await order(api, ana)
  await admin.replicaof('127.0.0.1', 1)
  for (let many = 0; many < 30; many++) {
    const placed = await order(api, ana)
    t.equal(placed.statusCode, 202)
    const { order_id: id } = placed.json<{ order_id: string }>()
    const read = await api.inject({ url: `/orders/${id}`, headers: ana.headers })
    t.ok(read.statusCode === 200 || read.json<{ type: string }>().type === 'urn:comanda:problem:order-not-visible-yet', read.body)
    await reads(api, ana, id, 'confirmed')
  }
  for (const app of [api, worker]) {
    await eventually('it is told', () => downs(app).length > 0)
    t.match(downs(app)[0], /^it is a replica, where nothing can be written: name the primary/)
    t.equal(app.health.state('redis'), 'down')
  }
  const opened = async () => Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))![1])
  const [before, began] = [await opened(), performance.now()]
  await eventually('it is tried again', async () => await opened() > before + 6)
  t.ok(performance.now() - began > 500, 'with back-off')
  await admin.replicaof('NO', 'ONE')
  for (const app of [api, worker]) await eventually('it is used again', () => app.health.state('redis') === 'up', limitOf(20_000))
})

t.test('a Redis in cluster mode is refused by name, by processes and by doctor', real, async (t) => {
  const env = { ...place.env, REDIS_URL: await redisWith(t, '--cluster-enabled', 'yes') }
  for (const name of ['api', 'worker'] as const) {
    const app = await boot(t, name, env)
    await eventually('it is told', () => downs(app).length > 0)
    t.match(downs(app), [/^it is in cluster mode, which is not supported .*name a Redis without it in REDIS_URL$/])
  }
  isFound(t, await lookAt(t, env), 'redis data', 'wrong', /^it is in cluster mode/)
})

t.test('of a Redis without INFO doctor says what it cannot see, and that it lets us in', real, async (t) => {
  const found = await lookAt(t, { ...place.env, REDIS_URL: await redisWith(t, '--rename-command', 'INFO', '') })
  isFound(t, found, 'redis data', 'warn', /^it has no INFO/)
  isFound(t, found, 'redis connection', 'ok', /lets user default in$/)
})
