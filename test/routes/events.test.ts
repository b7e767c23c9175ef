import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { type App, startApi, startWorker } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { amend, ask, booked, move, newcomer, newOperator, type Person, place as placeOrder, reads, type Shown } from '../support/people.js'
import { openPlace } from '../support/place.js'

const place = await openPlace(t)
const env = { AMQP_URL: '' }
const api = await startApi(t, place, env)
await startWorker(t, place, env)
const [ana, bia] = [await newcomer(api), await newcomer(api)]
const operator = await newOperator(api, place)

interface Told { id: string, type: string, subject: string, sequence: string, orderversion: number, data: { order: Shown, reason?: string } }
interface Page { items: Told[], next_after: number }
const page = async (person: Person, query = ''): Promise<Page> => (await api.inject({ url: `/events${query}`, headers: person.headers })).json<Page>()
const problem = async (query: string, person = ana, headers: Record<string, string> = {}): Promise<string> => {
  const response = await api.inject({ url: `/events${query}`, headers: { ...person.headers, ...headers } })
  return `${response.statusCode} ${response.json<{ type: string }>().type.split(':').at(-1)}`
}
const now = async () => (await page(operator, '?after=now')).next_after

interface Frame { id?: string, event?: string, data?: Told }
/** One stream, read as it comes. */
interface Stream { response: IncomingMessage, frames: Frame[], text: string, close (): void }

async function addressOf (app: App): Promise<string> {
  return app.server.listening ? `http://127.0.0.1:${(app.server.address() as { port: number }).port}` : await app.listen({ host: '127.0.0.1', port: 0 })
}

async function open (t: Test, app: App, { headers }: Person, query = '', more: Record<string, string> = {}): Promise<Stream> {
  const asked = httpRequest(`${await addressOf(app)}/events${query}`, { headers: { ...headers, accept: 'text/event-stream', ...more } })
  asked.on('error', () => {})
  asked.end()
  const [response] = await once(asked, 'response') as [IncomingMessage]
  const stream: Stream = { response, frames: [], text: '', close: () => asked.destroy() }
  t.teardown(stream.close)
  let rest = ''
  response.on('error', () => {})
  response.setEncoding('utf8').on('data', (text: string) => {
    stream.text += text
    const parts = (rest + text).split('\n\n')
    rest = parts.pop()!
    for (const part of parts) {
      const frame = Object.fromEntries(part.split('\n').map((row) => [row.slice(0, row.indexOf(':')), row.slice(row.indexOf(':') + 2)]))
      if (frame.id !== undefined) stream.frames.push({ ...frame, data: JSON.parse(frame.data!) as Told })
    }
  })
  return stream
}

/** An order that was placed, amended, paid, and a change of it that lost. */
async function history (person: Person): Promise<Shown> {
  const order = await booked(api, person)
  await ask(api, person, amend(order.order_id, { item_quantity: 5 }))
  await reads(api, person, order.order_id, 'confirmed', 2)
  await ask(api, operator, move(order.order_id, 'paid'))
  return await eventually('all of it is booked', async () => (await page(operator, `?order_id=${order.order_id}`)).items.length === 3 && order)
}

t.test('a customer is told of their own orders alone, in order, from the beginning', async (t) => {
  const [own, other] = [await history(ana), await history(bia)]
  const { items, next_after } = await page(ana)
  t.strictSame(items.map(({ type, subject, orderversion }) => [type, subject, orderversion]), [['confirmed', 1], ['amended', 2], ['paid', 3]].map(([type, version]) => [`comanda.order.${type}`, own.order_id, version]))
  t.match(items[1]!.data.order, { order_id: own.order_id, user_id: ana.user_id, item_quantity: 5, status: 'confirmed', version: 2 })
  t.notOk('next_statuses' in items[1]!.data.order)
  const all = await page(operator)
  t.strictSame(all.items.map(({ subject }) => subject), [own.order_id, own.order_id, own.order_id, other.order_id, other.order_id, other.order_id])
  t.strictSame(next_after, all.next_after, 'where the feed ends, not where the own events end')
  t.strictSame((await page(ana, `?after=${next_after}`)), { items: [], next_after })
})

t.test('pages join without a gap and without a repetition', async (t) => {
  const whole = (await page(operator)).items.map(({ id }) => id)
  const joined: string[] = []
  for (let [after, items] = [0, [{}] as object[]]; items.length > 0;) {
    const part = await page(operator, `?after=${after}&limit=2`)
    joined.push(...part.items.map(({ id }) => id))
    items = part.items
    after = part.next_after
  }
  t.strictSame(joined, whole)
})

t.test('only types that are asked for are told, and only one order where one is', async (t) => {
  const order = await history(ana)
  const types = async (query: string) => (await page(ana, query)).items.map(({ type, subject }) => `${type} ${subject === order.order_id}`)
  t.strictSame(await types(`?order_id=${order.order_id.toUpperCase()}`), ['comanda.order.confirmed true', 'comanda.order.amended true', 'comanda.order.paid true'])
  t.strictSame(await types('?type=comanda.order.paid'), ['comanda.order.paid false', 'comanda.order.paid true'])
  t.strictSame(await types(`?type=comanda.order.paid,comanda.order.amended&order_id=${order.order_id}`), ['comanda.order.amended true', 'comanda.order.paid true'])
  t.strictSame(await types('?type=comanda.order.rejected'), [])
})

t.test('what is asked for wrongly is refused by name', async (t) => {
  const other = await booked(api, bia)
  for (const query of ['?after=-1', '?after=1e3', '?after=abc', '?after=9007199254740993', '?after=01', '?after=', '?limit=0', '?limit=101', '?wait=31', '?wait=-1', '?type=comanda.order.eaten', '?type=', '?order_id=7', '?nonsense=1']) {
    t.equal(await problem(query), '400 validation-failed', query)
  }
  t.equal(await problem(`?after=${await now() + 1000}`), '400 bad-cursor', 'beyond the end')
  t.equal(await problem(`?order_id=${other.order_id}`), '404 order-not-found', "another's order")
  t.equal(await problem('', ana, { accept: 'text/event-stream', 'last-event-id': 'x' }), '400 validation-failed')
  t.equal(await problem(`?order_id=${other.order_id}`, ana, { accept: 'text/event-stream' }), '404 order-not-found')
  t.equal(await problem('', ana, { accept: 'text/event-stream', 'last-event-id': String(await now() + 1000) }), '400 bad-cursor')
})

t.test('an empty page is held until something happens to its reader', async (t) => {
  const after = await now()
  const held = page(ana, `?after=${after}&wait=30`)
  await eventually('it waits', () => api.listeners.size === 1)
  await booked(api, bia)
  const { order_id } = (await placeOrder(api, ana)).json<Shown>()
  t.match(await held, { items: [{ type: 'comanda.order.confirmed', subject: order_id }] })
  t.equal(api.listeners.size, 0)
})

t.test('an empty page is answered empty when its time is over', async (t) => {
  const after = await now()
  t.strictSame(await page(ana, `?after=${after}&wait=1`), { items: [], next_after: after })
})

t.test('a client that leaves waits no longer', async (t) => {
  const address = new URL(await addressOf(api))
  const socket = connect(Number(address.port), address.hostname)
  socket.on('error', () => {})
  socket.write(`GET /events?wait=30&after=${await now()} HTTP/1.1\r\nhost: x\r\nauthorization: ${ana.headers.authorization}\r\n\r\n`)
  await eventually('it waits', () => api.listeners.size === 1)
  socket.destroy()
  await eventually('it does not', () => api.listeners.size === 0)
  t.end()
})

t.test('a stream begins now, and tells what happens with its position, type and event', async (t) => {
  const stream = await open(t, api, ana)
  t.match(stream.response.headers, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no', 'x-content-type-options': 'nosniff', 'x-request-id': /./ })
  await booked(api, bia)
  const { order_id } = await booked(api, ana)
  const [frame] = await eventually('it is told', () => stream.frames.length > 0 && stream.frames)
  t.match(frame, { event: 'comanda.order.confirmed', data: { subject: order_id } })
  t.equal(Number(frame!.id), Number(frame!.data!.sequence))
  t.match(stream.text, /^retry: \d{4}\n\n/)
  t.match(await page(ana, `?after=${Number(frame!.id) - 1}`), { items: [frame!.data!] }, 'the same as on a page')
})

t.test('a stream goes on behind the last event that was received', async (t) => {
  const { items } = await page(ana)
  const resumed = await open(t, api, ana, '', { 'last-event-id': String(Number(items[1]!.sequence)) })
  await eventually('all came', () => resumed.frames.length === items.length - 2)
  t.strictSame(resumed.frames.map(({ data }) => data), items.slice(2))
  const begun = await open(t, api, ana, '?after=0&type=comanda.order.paid')
  const paid = items.filter(({ type }) => type === 'comanda.order.paid')
  await eventually('all came', () => begun.frames.length === paid.length)
  t.strictSame(begun.frames.map(({ data }) => data), paid)
})

t.test('a 21st listener of one user is refused, and another user is not', async (t) => {
  const streams = await Promise.all(Array.from({ length: 20 }, async () => await open(t, api, bia)))
  t.ok(streams.every(({ response }) => response.statusCode === 200))
  t.equal(await problem('', bia, { accept: 'text/event-stream' }), '429 too-many-streams')
  t.equal(await problem(`?wait=1&after=${await now()}`, bia), '429 too-many-streams')
  t.equal((await open(t, api, ana)).response.statusCode, 200)
  streams[0]!.close()
  await eventually('one left', () => api.listeners.size === 20)
  t.equal((await open(t, api, bia)).response.statusCode, 200)
  for (const stream of streams) stream.close()
})

t.test('HEAD is answered at once, for a page and for a stream', async (t) => {
  const head = async (accept: string) => {
    const { statusCode, headers, body } = await api.inject({ method: 'HEAD', url: '/events?wait=30&after=now', headers: { ...ana.headers, accept } })
    return [statusCode, headers['content-type'], body]
  }
  t.strictSame(await head('*/*'), [200, 'application/json; charset=utf-8', ''])
  t.strictSame(await head('text/event-stream'), [200, 'text/event-stream', ''])
})

t.test('a stream over HTTP/1.0 comes without chunks, and ends with its connection', async (t) => {
  const address = new URL(await addressOf(api))
  const socket = connect(Number(address.port), address.hostname)
  t.teardown(() => socket.destroy())
  let text = ''
  socket.setEncoding('utf8').on('data', (some: string) => { text += some })
  socket.write(`GET /events?after=0 HTTP/1.0\r\nauthorization: ${ana.headers.authorization}\r\naccept: text/event-stream\r\n\r\n`)
  await eventually('it is told', () => text.includes('event: comanda.order.confirmed'))
  t.notMatch(text, /transfer-encoding/i)
  t.match(text, /\r\n\r\nretry: \d+\n\nid: \d+\nevent: /)
})

t.test('a stream ends within a second of its session, and nothing is told after it', async (t) => {
  const caio = await newcomer(api)
  const stream = await open(t, api, caio)
  await eventually('it listens', () => api.listeners.size > 0)
  await api.inject({ method: 'DELETE', url: '/auth/token', headers: caio.headers })
  const ended = performance.now()
  await once(stream.response, 'end')
  t.ok(performance.now() - ended < 1000 * Number(process.env.TEST_SLOWNESS ?? 1), `${performance.now() - ended} ms`)
  t.match(await eventually('its line', () => api.lines.find(({ event, user_id }) => event === 'stream_ended' && user_id === caio.user_id)), { reason: 'session_ended', events: 0 })
})

t.test('a stream ends with its token', async (t) => {
  const short = await startApi(t, place, { ...env, TOKEN_SECONDS: '2' })
  const dora = await newcomer(short)
  const stream = await open(t, short, dora)
  await once(stream.response, 'end')
  t.match(await eventually('its line', () => short.lines.find(({ event }) => event === 'stream_ended')), { reason: 'time_over' })
})

t.test('an api that closes ends its streams and answers those that wait', async (t) => {
  const own = await startApi(t, place, env)
  const stream = await open(t, own, ana)
  const waiting = own.inject({ url: `/events?wait=30&after=${await now()}`, headers: ana.headers })
  await eventually('both listen', () => own.listeners.size === 2)
  const ended = once(stream.response, 'end')
  await own.close()
  await ended
  t.strictSame((await waiting).json<{ items: unknown[] }>().items, [])
})
