import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import t from 'tap'
import { redisClient } from '../../src/cache/redis-client.js'
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
