import { createServer, type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { policyOf } from '../../src/webhooks/endpoint-url.js'
import type { Answer } from '../../src/webhooks/outcome.js'
import type { Resolve } from '../../src/webhooks/resolver.js'
import { leadsAstray, Sender, type SenderOptions } from '../../src/webhooks/sender.js'
import { certificateOf, needsOpenssl } from '../support/certificates.js'
import { eventually } from '../support/eventually.js'
import { needsIpv6 } from '../support/ipv6.js'
import { limitOf } from '../support/limits.js'
import { openReceiver, type Reply } from '../support/receiver.js'

const BODY = '{"id":"1"}'
const local = policyOf({ httpsOnly: false, networks: ['127.0.0.0/8'] })
const strict = policyOf({ httpsOnly: false, networks: [] })

function senderOf (t: Test, options: Partial<SenderOptions> = {}): Sender {
  const sender = new Sender({ policy: local, deadlineMs: limitOf(5000), ...options })
  t.teardown(() => sender.close())
  return sender
}
const post = async (sender: Sender, url: string) => (await sender.post(url, { 'webhook-id': 'x' }, BODY))!
/** The answer to one call of a receiver that replies so. */
async function answer (t: Test, reply: Reply, options: Partial<SenderOptions> = {}): Promise<Answer> {
  return await post(senderOf(t, options), (await openReceiver(t, reply)).url)
}
/** A server that speaks no HTTP. @returns its port and how many connected */
async function rawServer (t: Test, serve: (socket: Socket) => void, host = '127.0.0.1'): Promise<{ port: number, seen: { connections: number } }> {
  const seen = { connections: 0 }
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    seen.connections++
    sockets.add(socket.on('error', () => {}))
    serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as { port: number }).port, seen }
}

t.test('an answer is its status; what it asked for is kept, and how much it said, no more', async (t) => {
  t.match(await answer(t, (response) => response.writeHead(200).end('taken')), { status: 200, failure: null, bytes: 5, retryAfter: undefined })
  t.match(await answer(t, (response) => response.writeHead(204).end()), { status: 204, failure: null, bytes: 0 })
  t.match(await answer(t, (response) => response.writeHead(503, { 'retry-after': '120' }).end()), { status: 503, failure: null, retryAfter: '120' })
  t.match(await answer(t, (response) => response.writeHead(410).end()), { status: 410 })
})

t.test('what was sent arrives as it was, with its fields', async (t) => {
  const receiver = await openReceiver(t)
  await senderOf(t).post(`${receiver.url}/a?b=c`, { 'webhook-id': 'x', 'webhook-signature': 'v1,y' }, '{"café":"☕"}')
  t.match(receiver.calls, [{ path: '/a?b=c', body: '{"café":"☕"}', headers: { 'webhook-id': 'x', 'webhook-signature': 'v1,y', 'content-type': 'application/cloudevents+json', 'user-agent': 'Comanda-Webhooks/1', 'content-length': '15' } }])
})

t.test('a redirect is an answer like any other: nothing is opened where it leads', async (t) => {
  const canary = await openReceiver(t)
  t.match(await answer(t, (response) => response.writeHead(302, { location: canary.url }).end()), { status: 302, failure: null })
  t.equal(canary.connections, 0)
})

t.test('of a body without end no more than 16 KiB are read, and of a byte a second no more than for a second: the status counts', async (t) => {
  const chunk = Buffer.alloc(64 * 1024)
  let [sent, closed] = [0, false]
  const endless = await answer(t, (response) => {
    const more = () => {
      do sent += chunk.length
      while (!response.destroyed && response.write(chunk))
    }
    response.on('drain', more).on('close', () => { closed = true })
    response.writeHead(200)
    more()
  })
  t.match(endless, { status: 200, bytes: 16_384 })
  await eventually('the connection is closed', () => closed)
  t.ok(sent < 20_000_000, `${sent} bytes left the receiver, what its system holds included`)
  const slow = await answer(t, (response) => {
    response.writeHead(200)
    const drip = setInterval(() => response.write('x'), 200)
    response.on('close', () => clearInterval(drip))
  })
  t.match(slow, { status: 200, failure: null })
  t.ok(slow.ms < limitOf(3000), `${slow.ms} ms`)
})

t.test('an answer that is reset after its head was an answer', async (t) => {
  t.match(await answer(t, (response) => {
    response.writeHead(200, { 'content-length': '10' }).write('x')
    setImmediate(() => response.socket!.resetAndDestroy())
  }), { status: 200, failure: null })
})

t.test('one that never answers, or sends its head a byte at a time, has until the deadline', async (t) => {
  t.match(await answer(t, () => {}, { deadlineMs: 200 }), { status: null, failure: 'timeout' })
  const { port } = await rawServer(t, (socket) => {
    const drip = setInterval(() => socket.write('H'), 50)
    socket.on('close', () => clearInterval(drip))
    socket.write('HTTP/1.1 200 OK\r\nx: ')
  })
  t.match(await post(senderOf(t, { deadlineMs: 300 }), `http://127.0.0.1:${port}`), { status: null, failure: 'timeout' })
})

t.test('garbage, a head without end, a reset, a refused connection: each is told as what it is', async (t) => {
  const raw = async (serve: (socket: Socket) => void) => (await post(senderOf(t), `http://127.0.0.1:${(await rawServer(t, serve)).port}`)).failure
  t.equal(await raw((socket) => socket.write('garbage\r\n\r\n')), 'bad_answer')
  t.equal(await raw((socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}`)), 'bad_answer')
  t.equal(await raw((socket) => socket.once('data', () => socket.resetAndDestroy())), 'connection_lost')
  t.equal(await raw((socket) => socket.once('data', () => socket.end())), 'connection_lost')
  const { port } = await rawServer(t, () => {})
  t.equal((await post(senderOf(t), `http://127.0.0.1:${port === 65535 ? 1 : port + 1}`)).status, null)
  t.equal((await post(senderOf(t), 'http://127.0.0.1:1')).failure, 'connection_failed')
})

t.test('an upgrade is no success, and an early hint is no answer', async (t) => {
  t.match(await answer(t, (response) => response.socket!.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')), { status: 101, failure: null })
  t.match(await answer(t, (response) => {
    response.writeEarlyHints({ link: '</x>; rel=preload' })
    response.writeHead(204).end()
  }), { status: 204 })
})

t.test('a certificate of another name, an expired one and one that none vouches for are refused', needsOpenssl, async (t) => {
  const resolve: Resolve = async () => [{ address: '127.0.0.1', family: 4 }]
  const [good, expired] = [certificateOf(t, 'shop.example'), certificateOf(t, 'shop.example', { expired: true })]
  const failure = async (tls: typeof good, name: string, ca: string | undefined) => {
    const receiver = await openReceiver(t, undefined, { tls })
    const { status, failure } = await post(senderOf(t, { resolve, ...(ca === undefined ? {} : { ca }) }), `https://${name}:${new URL(receiver.url).port}`)
    return [status, failure, receiver.calls.length]
  }
  t.strictSame(await failure(good, 'shop.example', good.cert), [204, null, 1])
  t.strictSame(await failure(good, 'other.example', good.cert), [null, 'tls', 0])
  t.strictSame(await failure(expired, 'shop.example', expired.cert), [null, 'tls', 0])
  t.strictSame(await failure(good, 'shop.example', undefined), [null, 'tls', 0])
  const plain = await openReceiver(t)
  t.match(await post(senderOf(t, { resolve }), plain.url.replace('http:', 'https:')), { failure: 'tls' })
})

const FORBIDDEN = ['127.0.0.1', '::1', '::ffff:127.0.0.1', '169.254.169.254', '100.64.0.1', '64:ff9b::7f00:1', '10.0.0.1', '0.0.0.0', 'fe80::1']

t.test('no name leads to a forbidden address, alone, beside a public one, or at the second call', async (t) => {
  const canary = await openReceiver(t)
  const port = new URL(canary.url).port
  for (const address of FORBIDDEN) {
    const family = address.includes(':') ? 6 : 4
    for (const found of [[{ address, family }], [{ address: '192.0.43.8', family: 4 }, { address, family }]]) {
      let asked = 0
      const sender = senderOf(t, { policy: strict, resolve: async () => { asked++; return found } })
      t.match(await post(sender, `http://rebound.example:${port}`), { status: null, failure: 'forbidden_address' }, address)
      t.equal(asked, 1, 'looked up once')
    }
  }
  // Public when it is looked at, internal when it is connected to: what was judged is what is connected to.
  let asked = 0
  const resolve: Resolve = async () => [{ address: ++asked === 1 ? '192.0.43.8' : '127.0.0.1', family: 4 }]
  t.equal(await leadsAstray(`http://rebound.example:${port}`, strict, resolve), false)
  t.match(await post(senderOf(t, { policy: strict, resolve }), `http://rebound.example:${port}`), { failure: 'forbidden_address' })
  t.equal(canary.connections, 0)
})

t.test('a literal that is forbidden today is not called, however it was registered', needsIpv6, async (t) => {
  const [canary, six] = [await openReceiver(t), await openReceiver(t, undefined, { host: '::1' })]
  const port = new URL(canary.url).port
  for (const host of ['127.0.0.1', '127.1', '0x7f000001', '2130706433', '[::ffff:127.0.0.1]', 'localhost', 'localhost.', 'a.localhost']) t.match(await post(senderOf(t, { policy: strict }), `http://${host}:${port}`), { failure: 'forbidden_address' }, host)
  t.match(await post(senderOf(t, { policy: strict }), six.url), { failure: 'forbidden_address' })
  t.equal(canary.connections + six.connections, 0)
  t.match(await post(senderOf(t, { policy: policyOf({ httpsOnly: false, networks: ['::1/128'] }) }), six.url), { status: 204 })
})

t.test('a name that no server knows is told as such', async (t) => {
  const unknown = senderOf(t, { resolve: async () => { throw Object.assign(new Error('no'), { code: 'ENOTFOUND' }) } })
  t.match(await post(unknown, 'http://nowhere.example'), { status: null, failure: 'name_not_found' })
  t.match(await post(senderOf(t, { resolve: async () => [] }), 'http://nowhere.example'), { status: null, failure: 'name_not_found' })
  t.equal(await leadsAstray('http://nowhere.example', strict, async () => { throw new Error('no') }), null)
})

t.test('a name server that never answers has until the deadline', async (t) => {
  t.match(await post(senderOf(t, { deadlineMs: 200, resolve: async () => await new Promise(() => {}) }), 'http://silent.example'), { status: null, failure: 'timeout' })
})

t.test('a connection serves again, and one that was closed meanwhile is replaced unseen', async (t) => {
  const receiver = await openReceiver(t)
  const sender = senderOf(t)
  for (let call = 0; call < 3; call++) t.match(await post(sender, receiver.url), { status: 204 })
  t.equal(receiver.connections, 1)
  receiver.server.closeIdleConnections()
  t.match(await post(sender, receiver.url), { status: 204 })
})

t.test('what this process ends is no answer', async (t) => {
  const receiver = await openReceiver(t, () => {})
  const sender = senderOf(t)
  const posted = sender.post(receiver.url, {}, BODY)
  await eventually('it came', () => receiver.calls.length === 1)
  sender.abandon()
  t.equal(await posted, null)
})
