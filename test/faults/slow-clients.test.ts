import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { type App, startApi } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { limitOf } from '../support/limits.js'
import { line, newcomer } from '../support/people.js'
import { openPlace } from '../support/place.js'

const place = await openPlace(t)
const MANY = 250

async function listening (t: Test): Promise<{ app: App, open: (text: string) => Socket, head: string }> {
  const app = await startApi(t, place, { AMQP_URL: '', REDIS_URL: '' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const ana = await newcomer(app)
  const open = (text: string) => {
    const socket = connect(port, '127.0.0.1')
    socket.write(text)
    t.teardown(() => socket.destroy())
    return socket
  }
  return { app, open, head: `POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: ${ana.headers.authorization}\r\n` }
}

const answerOf = async (socket: Socket) => (await socket.toArray()).join('')
const placed = async () => (await place.pool.query('select from fallback_queue')).rowCount

function isTimeout (t: Test, answer: string): void {
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  t.match(head, /^HTTP\/1\.1 408 Request Timeout\r\ncontent-type: application\/problem\+json/i)
  t.match(JSON.parse(body), { type: 'urn:comanda:problem:request-timeout', status: 408 })
}

t.test('hundreds of clients that send a byte and no more are each told 408 in the set time, and keep nobody else waiting', async (t) => {
  const { app, open, head } = await listening(t)
  const { server } = app
  t.strictSame([server.headersTimeout, server.requestTimeout], [10_000, 10_000], 'what is set')
  server.headersTimeout = server.requestTimeout = 500 // the checks of them come every second, as in production
  const before = await placed()
  const started = performance.now()
  const slow = Array.from({ length: MANY }, (_, index) => open(index % 2 === 0 ? head : `${head}Content-Length: 100\r\n\r\n{`))
  await eventually('all are there', async () => await new Promise<boolean>((resolve) => server.getConnections((_error, count) => resolve(count === MANY))))
  const quick = performance.now()
  t.match(await answerOf(open('GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')), /^HTTP\/1\.1 200 /)
  t.ok(performance.now() - quick < limitOf(2000), 'somebody else is served meanwhile')
  for (const answer of await Promise.all(slow.map(answerOf))) isTimeout(t, answer)
  t.ok(performance.now() - started < limitOf(6000), `${Math.round(performance.now() - started)} ms`)
  t.equal(await placed(), before)
})

t.test('a connection that was opened ahead and never used is closed in the set time without a word: an answer would be taken for that of the request that comes next', async (t) => {
  const { app, open } = await listening(t)
  app.server.headersTimeout = app.server.requestTimeout = 500
  const unused = Array.from({ length: 3 }, () => open(''))
  t.strictSame(await Promise.all(unused.map(answerOf)), ['', '', ''])
  t.strictSame(app.lines.filter(({ event, reason }) => event === 'request' && reason === 'request_timeout'), [], 'nor is it logged as a request')
})

t.test('a body of another length than it says is refused: cut short 400, never finished 408', async (t) => {
  const { app, open, head } = await listening(t)
  app.server.headersTimeout = app.server.requestTimeout = 500
  const [body, before] = [JSON.stringify(line), await placed()]
  const bytes = Buffer.byteLength(body)
  const answer = await answerOf(open(`${head}Content-Length: ${bytes - 1}\r\n\r\n${body}`))
  t.match(answer, /^HTTP\/1\.1 400 Bad Request/)
  isTimeout(t, await answerOf(open(`${head}Content-Length: ${bytes + 1}\r\n\r\n${body}`)))
  t.equal(await placed(), before, 'neither is taken')
})

t.test('a client that goes away in the middle of its body leaves nothing behind', async (t) => {
  const { app, open, head } = await listening(t)
  const before = await placed()
  const arrived = once(app.server, 'request')
  const socket = open(`${head}Content-Length: 100\r\n\r\n${JSON.stringify(line).slice(0, 20)}`)
  await arrived
  socket.destroy()
  await eventually('its connection is gone', async () => await new Promise<boolean>((resolve) => app.server.getConnections((_error, count) => resolve(count === 0))))
  t.equal(await placed(), before)
  t.strictSame(app.lines.filter(({ level }) => level === 'error' || level === 'fatal'), [])
})
