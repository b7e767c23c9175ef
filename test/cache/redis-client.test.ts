import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { Redis } from 'ioredis'
import t from 'tap'
import { findRedis, startRedis } from '../../local/redis.js'
import { redisClient } from '../../src/cache/redis-client.js'
import { freshFolder } from '../support/folders.js'
import { limitOf } from '../support/limits.js'

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

t.test('a server that ends connections on which nothing is asked does not end ours', { skip: findRedis(process.env) === null && 'no redis-server on this machine' }, async (t) => {
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
