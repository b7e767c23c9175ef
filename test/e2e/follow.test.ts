import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { EventStreamParser, type Frame } from '../../clients/typescript/follow/event-stream.js'
import { FollowError, followEvents, type Told } from '../../clients/typescript/follow/index.js'
import { freePort } from '../../local/ports.js'
import { inTransaction } from '../../src/store/database.js'
import { applyBatch } from '../../src/worker/batch.js'
import { placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { registration } from '../support/people.js'
import { openPlace, openPool } from '../support/place.js'
import { type Process, runComanda } from '../support/processes.js'

const place = await openPlace(t)
const pool = openPool(t, place)

function parsed (pieces: readonly string[]): Frame[] {
  const parser = new EventStreamParser()
  return pieces.flatMap((piece) => parser.push(piece))
}

t.test('a stream reads the same however it is cut, with each kind of line end', async (t) => {
  const rows = [': hello', 'retry: 1500', '', 'id: 1', 'event: a', 'data: {"x":1}', '', 'id:2', 'data: one', 'data:two', 'unknown: x', 'nothing', '', 'event: lost', '', 'id: 4\0', 'data', '', 'data: never ended']
  const wanted = [{ id: '1', event: 'a', data: '{"x":1}' }, { id: '2', event: 'message', data: 'one\ntwo' }, { id: '2', event: 'message', data: '' }]
  for (const end of ['\n', '\r\n', '\r']) {
    const text = rows.join(end)
    t.strictSame(parsed([text]), wanted, JSON.stringify(end))
    t.strictSame(parsed([...text]), wanted, `${JSON.stringify(end)}, letter by letter`)
    for (let at = 0; at < text.length; at++) {
      const found = parsed([text.slice(0, at), text.slice(at)])
      if (JSON.stringify(found) !== JSON.stringify(wanted)) t.strictSame(found, wanted, `${JSON.stringify(end)} at ${at}`)
    }
  }
  const parser = new EventStreamParser()
  parser.push('retry: 1500\nretry: soon\n')
  t.equal(parser.retry, 1500)
})

/** A server that answers each connection by the next of these. */
async function serve (t: Test, answers: ReadonlyArray<(request: IncomingMessage, response: ServerResponse) => void>): Promise<{ baseUrl: string, asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    const answer = answers[Math.min(asked.length, answers.length) - 1]!
    answer(request, response)
  })
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}
const stream = (...ids: number[]) => (_request: IncomingMessage, response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(`retry: 10\n\n${ids.map((id) => `id: ${id}\ndata: {"n":${id}}\n\n`).join('')}`)
}
const refuse = (status: number, headers: Record<string, string> = {}) => (_request: IncomingMessage, response: ServerResponse) => {
  response.writeHead(status, { 'content-type': 'application/problem+json', ...headers }).end('{"type":"x"}')
}
async function take (events: AsyncGenerator<Told, void>, count: number): Promise<number[]> {
  const positions: number[] = []
  while (positions.length < count) positions.push(((await events.next()).value as Told).position)
  return positions
}

t.test('it goes on behind the last event, asks for a token each time, and tells none twice', async (t) => {
  const { baseUrl, asked } = await serve(t, [stream(3, 5), refuse(503, { 'retry-after': '0.01' }), stream(5, 3, 6), stream(9)])
  let tokens = 0
  const events = followEvents({ baseUrl, token: () => `t${++tokens}`, after: 2, types: ['comanda.order.paid', 'comanda.order.shipped'] })
  t.strictSame(await take(events, 4), [3, 5, 6, 9])
  t.strictSame(asked.map(({ headers }) => [headers['last-event-id'], headers.authorization]), [['2', 'Bearer t1'], ['5', 'Bearer t2'], ['5', 'Bearer t3'], ['6', 'Bearer t4']])
  t.match(asked[0]!.url, '/events?type=comanda.order.paid%2Ccomanda.order.shipped')
  await events.return()
  t.equal((await events.next()).done, true)
})

t.test('without a position it begins where now is, and that is asked for once', async (t) => {
  const page = (_request: IncomingMessage, response: ServerResponse) => { response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[],"next_after":7}') }
  const { baseUrl, asked } = await serve(t, [page, stream(), stream(8)])
  const events = followEvents({ baseUrl, token: () => 't' })
  t.strictSame(await take(events, 1), [8])
  t.strictSame(asked.map(({ url, headers }) => [url, headers['last-event-id']]), [['/events?after=now&limit=1', undefined], ['/events', '7'], ['/events', '7']])
  await events.return()
})

t.test('what will not change is an error, a token that ended on the way is tried again once', async (t) => {
  for (const status of [400, 403, 404]) {
    const { baseUrl } = await serve(t, [refuse(status)])
    await t.rejects(followEvents({ baseUrl, token: () => 't', after: 0 }).next(), { name: 'FollowError', status, problem: { type: 'x' } })
  }
  const { baseUrl, asked } = await serve(t, [refuse(401), stream(1), refuse(401), refuse(401)])
  const events = followEvents({ baseUrl, token: () => 't', after: 0 })
  t.strictSame(await take(events, 1), [1])
  await t.rejects(events.next(), FollowError)
  t.equal(asked.length, 4)
})

t.test('a signal ends it at once, in the middle of a silence', async (t) => {
  const silent = (_request: IncomingMessage, response: ServerResponse) => { response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n') }
  const { baseUrl, asked } = await serve(t, [silent])
  const over = new AbortController()
  const next = followEvents({ baseUrl, token: () => 't', after: 0, signal: over.signal }).next()
  await eventually('it is connected', () => asked.length === 1)
  over.abort()
  t.equal((await next).done, true)
})

t.test('over an api that is killed and started again it tells the whole history, each event once', async (t) => {
  const port = await freePort()
  const baseUrl = `http://127.0.0.1:${port}`
  const start = async (): Promise<Process> => {
    const api = runComanda(t, ['api'], { ...place.env, AMQP_URL: '', PORT: String(port) })
    await api.said('postgres_up')
    await api.said('started')
    return api
  }
  let api = await start()
  const { nick_name, password, ...person } = registration()
  const send = async <Answer>(path: string, body: object): Promise<Answer> => await fetch(`${baseUrl}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }).then(async (answer) => await answer.json() as Answer)
  const { user_id } = await send<{ user_id: number }>('/users', { ...person, nick_name, password })
  const { access_token: token } = await send<{ access_token: string }>('/auth/token', { nick_name, password })
  const told: string[] = []
  const over = new AbortController()
  const events = followEvents({ baseUrl, token: () => token, after: 0, signal: over.signal })
  const following = (async () => { for await (const { event } of events) told.push(event.id) })()
  t.teardown(async () => {
    over.abort()
    await following
  })
  const booked: string[] = []
  for (let round = 0; round < 3; round++) {
    const some = Array.from({ length: 20 }, () => placement(user_id))
    await inTransaction(pool, async (client) => await applyBatch(client, some))
    booked.push(...some.map(({ event_id }) => event_id).sort())
    if (round > 1) break
    if (round === 0) await eventually('the first are told', () => told.length === 20)
    api.child.kill('SIGKILL')
    await api.exited
    api = await start()
  }
  await eventually('all are told', () => told.length >= booked.length)
  t.strictSame(told, booked)
})

t.test('the example of the client\'s README is what it exports', async (t) => {
  const readme = readFileSync('clients/typescript/README.md', 'utf8')
  t.match(readme, "import { followEvents } from './clients/typescript/follow/index.js'")
  t.type(followEvents, 'function')
})
