import { once, setMaxListeners } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { freePort } from '../../local/ports.js'
import type { OrderEvent } from '../../src/orders/event.js'
import { inTransaction } from '../../src/store/database.js'
import { applyBatch } from '../../src/worker/batch.js'
import { amendment, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { limitOf } from '../support/limits.js'
import { registration } from '../support/people.js'
import { openPlace, openPool } from '../support/place.js'
import { type Process, runComanda } from '../support/processes.js'

const USERS = 25
const STREAMS_OF_USER = 20
const place = await openPlace(t)
const pool = openPool(t, place)
const ports = [await freePort(), await freePort(), await freePort()]

async function startApi (t: Test, port: number): Promise<Process> {
  const api = runComanda(t, ['api'], { ...place.env, AMQP_URL: '', LOG_LEVEL: 'info', PORT: String(port) })
  await api.said('postgres_up')
  await api.said('started')
  return api
}

async function send <Answer> (port: number, path: string, body: object): Promise<Answer> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  return await answer.json() as Answer
}

interface Reader { user_id: number, ids: string[], last: string, api: number, connections: number }

/** Follows by one api after another, each time behind the last event that it received, until the signal. */
async function follow (reader: Reader, authorization: string, signal: AbortSignal): Promise<void> {
  for (; !signal.aborted; reader.api = (reader.api + 1) % ports.length) {
    const asked = get({ port: ports[reader.api], host: '127.0.0.1', path: '/events', agent: false, signal, headers: { authorization, accept: 'text/event-stream', 'last-event-id': reader.last } })
    const answer = await once(asked, 'response').then(([response]) => response as IncomingMessage, () => null)
    asked.on('error', () => {})
    if (answer?.statusCode === 200) {
      reader.connections++
      await read(reader, answer)
    } else await wait(50, undefined, { signal }).catch(() => {})
  }
}

async function read (reader: Reader, answer: IncomingMessage): Promise<void> {
  let rest = ''
  try {
    for await (const text of answer.setEncoding('utf8')) {
      const frames = (rest + String(text)).split('\n\n')
      rest = frames.pop()!
      for (const frame of frames) {
        const [, id, event] = /^id: (\d+)\n.*\ndata: \{"specversion":"1.0","id":"([^"]+)"/.exec(frame) ?? []
        if (id === undefined || event === undefined) continue
        reader.last = id
        reader.ids.push(event)
      }
    }
  } catch {
    // cut off in the middle of what follows
  }
}

t.test('500 streams over three apis, each killed once while orders change: every one is told its whole history, once, in order', async (t) => {
  const apis = await Promise.all(ports.map(async (port) => await startApi(t, port)))
  const over = new AbortController()
  setMaxListeners(0, over.signal)
  const readers: Reader[] = []
  const following: Array<Promise<void>> = []
  t.teardown(async () => {
    over.abort()
    await Promise.all(following)
  })
  for (let user = 0; user < USERS; user++) {
    const person = registration()
    const { user_id } = await send<{ user_id: number }>(ports[0]!, '/users', person)
    const { nick_name, password } = person
    const { access_token: token } = await send<{ access_token: string }>(ports[0]!, '/auth/token', { nick_name, password })
    for (let stream = 0; stream < STREAMS_OF_USER; stream++) {
      const reader = { user_id, ids: [], last: '0', api: stream % ports.length, connections: 0 }
      readers.push(reader)
      following.push(follow(reader, `Bearer ${token}`, over.signal))
    }
  }
  await eventually('all follow', () => readers.every(({ connections }) => connections > 0))

  const heads: OrderEvent[] = []
  const change = async () => {
    const fresh = readers.filter((_, index) => index % STREAMS_OF_USER === 0).map(({ user_id }) => placement(user_id))
    const changed = heads.splice(0, 20).map((head) => amendment({ ...head, order: { ...head.order, status: 'confirmed' } }))
    await inTransaction(pool, async (client) => await applyBatch(client, [...fresh, ...changed]))
    heads.push(...fresh)
  }
  for (const [index, port] of ports.entries()) {
    for (let round = 0; round < 5; round++) await change()
    apis[index]!.child.kill('SIGKILL')
    for (let round = 0; round < 5; round++) await change()
    await apis[index]!.exited
    apis[index] = await startApi(t, port)
  }
  await change()

  const { rows } = await pool.query<{ user_id: number, event_id: string }>('select user_id, event_id from order_events order by position')
  const histories = new Map<number, string[]>()
  for (const { user_id, event_id } of rows) histories.set(user_id, [...histories.get(user_id) ?? [], event_id])
  const historyOf = (user_id: number) => histories.get(user_id)!
  await eventually('all is told', () => readers.every(({ user_id, ids }) => ids.length >= historyOf(user_id).length))
  const wrong = readers.filter(({ user_id, ids }) => ids.join() !== historyOf(user_id).join())
  t.strictSame(wrong, [])
  t.ok(rows.length > 1000)
  t.ok(readers.filter(({ connections }) => connections > 1).length > readers.length / 4, 'many had to come back')

  const streamsOf = (index: number) => readers.filter(({ api }) => api === index).length
  const most = [0, 1, 2].sort((a, b) => streamsOf(b) - streamsOf(a))[0]!
  const [last, open] = [apis[most], streamsOf(most)]
  const asked = performance.now()
  last!.child.kill('SIGTERM')
  t.equal(await last!.exited, 0, `with ${open} streams open`)
  t.ok(open > 50)
  t.ok(performance.now() - asked < limitOf(5000), `${performance.now() - asked} ms`)
})
