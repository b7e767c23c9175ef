import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { findRedis, startRedis } from '../../local/redis.js'
import { redisClient } from '../../src/cache/redis-client.js'
import { eventually } from '../support/eventually.js'
import { freshFolder } from '../support/folders.js'
import { limitOf } from '../support/limits.js'
import { ownRedis } from '../support/own-redis.js'

const real = { skip: findRedis(process.env) === null && 'no redis-server on this machine' }

t.test('over TLS the host that is asked for is named', async (t) => {
  const server = createServer({ SNICallback: (name, done) => { server.emit('named', name); done(new Error('no certificate')) } })
  server.on('tlsClientError', () => {})
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const client = redisClient(`rediss://localhost:${port}`, { commandTimeout: 1000 }, { onFit: () => {}, onUnfit: () => {} })
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  const named = once(server, 'named', { signal: AbortSignal.timeout(limitOf(5000)) })
  client.connect().catch(() => {})
  t.strictSame(await named, ['localhost'])
})

t.test('a server that ends connections on which nothing is asked does not end ours', real, async (t) => {
  const server = await startRedis({ stateDir: freshFolder(t), env: process.env, durable: false })
  const [admin, idle] = [new Redis(server.url), new Redis(server.url)]
  const client = redisClient(server.url, { commandTimeout: limitOf(1000), askMs: 100 }, { onFit: () => {}, onUnfit: () => {} })
  t.teardown(async () => {
    for (const each of [client, idle, admin]) each.disconnect()
    await server.stop()
  })
  let closed = 0
  client.on('close', () => closed++)
  await Promise.all([client.connect(), once(idle, 'ready')])
  const ended = once(idle, 'close', { signal: AbortSignal.timeout(limitOf(10_000)) })
  await admin.config('SET', 'timeout', 1)
  await ended
  t.equal(closed, 0, 'while another, that asks nothing, was ended')
  t.equal(client.status, 'ready')
})

/** What a client of ours is told of it, as it comes. */
async function told (t: Test, url: string): Promise<string[]> {
  const said: string[] = []
  const client = redisClient(url, { commandTimeout: limitOf(1000), protocol: 2 }, { onFit: () => { said.push('fit') }, onUnfit: ({ message }) => { said.push(message) } })
  client.on('error', ({ message }) => { said.push(message) })
  t.teardown(() => client.disconnect())
  client.connect().catch(() => {})
  await eventually('it is fit', () => said.includes('fit'), limitOf(20_000))
  return said
}

t.test('a server on which INFO was renamed away is used', real, async (t) => {
  t.strictSame(await told(t, await ownRedis(t, '--rename-command', 'INFO', '')), ['fit'])
})

t.test('a server that still loads what it had on disk is left, told, and used once it is done', real, async (t) => {
  const url = await ownRedis(t, '--enable-debug-command', 'yes', '--loading-process-events-interval-bytes', '1024')
  const admin = new Redis(url)
  t.teardown(() => admin.disconnect())
  await admin.call('DEBUG', 'POPULATE', '5000', 'key', '200')
  await admin.save()
  await admin.config('SET', 'key-load-delay', '500') // microseconds a key
  admin.call('DEBUG', 'RELOAD', 'NOSAVE').catch(() => {})
  const asking = new Redis(url, { enableReadyCheck: false })
  t.teardown(() => asking.disconnect())
  await eventually('it loads', async () => /^loading:1/m.test(await asking.info()))
  const said = await told(t, url)
  t.equal(said[0], 'it is still loading what it had on disk')
  t.equal(said.at(-1), 'fit')
})
