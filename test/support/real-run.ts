import { once } from 'node:events'
import { connect } from 'node:net'
import type { Test } from 'tap'
import { type Line, parseLine } from '../../src/logs/parse.js'
import { serializeEvent } from '../../src/orders/envelope.js'
import { openChannel, publishRaw } from './broker.js'
import { amendment, placement } from './events.js'
import { eventually } from './eventually.js'
import { line, registration, type Shown } from './people.js'
import type { Place } from './place.js'
import { portOf, type Process, runComanda } from './processes.js'
import { openProxy } from './proxy.js'

/** A full life of one api and one worker, as operators run them: what they logged, and what there is to be found in it. */
export interface RealRun {
  api: string[]
  worker: string[]
  /** How much of each was logged before anything went wrong. */
  healthy: { api: number, worker: number }
  /** Every personal value and secret that was used. */
  personal: string[]
  /** Placed, amended and cancelled. */
  order: Shown
  /** Of the placement, and of the amendment. */
  requests: string[]
  /** Placed while the broker was away. */
  byFallback: Shown
  /** Lost against another placement of the same order. */
  rival: { order_id: string, event_id: string }
  batch: string[]
}

type Ask = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<{ status: number, body: Shown & { user_id: number, access_token: string, items: Array<{ order: Shown }> } }>

/** Needs Redis and RabbitMQ. */
export async function realRun (t: Test, place: Place): Promise<RealRun> {
  const proxies = await Promise.all((['DATABASE_URL', 'REDIS_URL', 'AMQP_URL'] as const).map(async (name) => [name, await openProxy(t, place.env[name]!)] as const))
  const env = { ...place.env, LOG_LEVEL: 'info', TRUST_PROXY: '127.0.0.1', ...Object.fromEntries(proxies.map(([name, { url }]) => [name, url])) }
  const [api, worker] = [runComanda(t, ['api'], env), runComanda(t, ['worker'], env)]
  for (const one of [api, worker]) for (const said of ['started', 'postgres_up', 'redis_up', 'rabbitmq_up']) await one.said(said)
  const port = portOf(await api.said('started'))
  const ask = asker(port)

  const person = registration()
  const { user_id } = (await ask('POST', '/users', person)).body
  const token = (await ask('POST', '/auth/token', { nick_name: person.nick_name, password: person.password })).body.access_token
  const mine = { authorization: `Bearer ${token}` }
  const order = (await ask('POST', '/orders', line, { ...mine, 'x-request-id': 'placing', 'idempotency-key': person.email })).body
  await ask('POST', '/orders', line, { ...mine, 'x-request-id': 'repeating', 'idempotency-key': person.email })
  await ask('PATCH', `/orders/${order.order_id.toUpperCase()}`, { item_quantity: 4 }, { ...mine, 'x-request-id': 'amending', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' })
  await ask('DELETE', `/orders/${order.order_id}`, undefined, mine)
  const { items } = (await ask('POST', '/orders/batch', Array.from({ length: 300 }, () => line), mine)).body
  await Promise.all(Array.from({ length: 50 }, async () => await ask('POST', '/orders', line, mine)))
  await bookedBy(worker, 353)
  const healthy = { api: api.output.length, worker: worker.output.length }

  await misuse(ask, port, person, mine)
  const rival = await oddMessages(t, place, worker, { userId: user_id, orderId: order.order_id, cpf: person.cpf })
  const byFallback = await loseServices(ask, mine, proxies, [api, worker])
  await ask('DELETE', '/users/me', { password: person.password }, mine)
  for (const one of [api, worker]) one.child.kill('SIGTERM')
  await Promise.all([api.exited, worker.exited])
  const secrets = [place.env.JWT_SECRET!, ...['DATABASE_URL', 'AMQP_URL'].flatMap((name) => new URL(place.env[name]!).password || [])].filter((secret) => secret.length > 5)
  return {
    ...{ api: api.output, worker: worker.output, healthy, order, byFallback, rival },
    personal: [...Object.values(person), token, `second.${person.email}`, ...secrets],
    requests: ['placing', 'amending'],
    batch: items.map((item) => item.order.order_id)
  }
}

function asker (port: number): Ask {
  return async (method, path, body, headers = {}) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    const text = await answer.text()
    return { status: answer.status, body: (text === '' ? {} : JSON.parse(text)) as Awaited<ReturnType<Ask>>['body'] }
  }
}

export function linesOf (texts: readonly string[]): Line[] {
  return texts.flatMap((text) => parseLine(text) ?? [])
}

async function bookedBy (worker: Process, events: number): Promise<void> {
  await eventually(`${events} events are booked`, () => linesOf(worker.output).reduce((sum, { applied = 0 }) => sum + Number(applied), 0) >= events)
}

/** What clients get wrong, with personal values wherever they can be put. */
async function misuse (ask: Ask, port: number, person: ReturnType<typeof registration>, mine: Record<string, string>): Promise<void> {
  await ask('POST', '/users', person)
  await ask('POST', '/users', { ...person, nick_name: person.email, cpf: person.phone_number })
  await ask('POST', '/auth/token', { nick_name: person.nick_name, password: `not ${person.password}` })
  await ask('PATCH', '/users/me', { email: `second.${person.email}`.slice(-50), password: person.password }, mine)
  for (const path of [`/users/${person.cpf}`, `/orders/${person.nick_name}`, `/nowhere/${person.email}?cpf=${person.cpf}`, `/orders?cursor=${person.email}`, `/orders/%${person.email}`]) await ask('GET', path, undefined, mine)
  await ask('POST', '/orders', { ...line, [person.email]: person.cpf }, { ...mine, 'x-request-id': person.email, traceparent: person.email })
  await ask('POST', '/orders', { ...line, item_quantity: 77 }, { ...mine, 'idempotency-key': person.email })
  await ask('GET', '/orders', undefined, { authorization: `${mine.authorization!}x` })
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`${person.email} ${person.cpf}\r\n\r\n`)
  socket.resume()
  await once(socket, 'close')
}

/** A rival placement, a change that comes before its base, and what is no event at all. @returns the rival */
async function oddMessages (t: Test, place: Place, worker: Process, { userId, orderId, cpf }: { userId: number, orderId: string, cpf: string }): Promise<RealRun['rival']> {
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const rival = placement(userId)
  rival.order.order_id = orderId
  await publishRaw(channel, serializeEvent(rival).json)
  await publishRaw(channel, serializeEvent(amendment(placement(userId))).json)
  await publishRaw(channel, JSON.stringify({ cpf, id: cpf }))
  await publishRaw(channel, serializeEvent(placement(2147483647)).json) // nobody's
  // A service lost before all of them are told would have their batch tried again, and told again.
  await eventually('all four are told', () => linesOf(worker.output).filter(({ event }) => event === 'order_event_not_applied' || event === 'event_parked').length >= 4)
  return { order_id: orderId, event_id: rival.event_id }
}

/** Each service goes and comes back; an order is placed while the broker is away. */
async function loseServices (ask: Ask, mine: Record<string, string>, proxies: ReadonlyArray<readonly [string, Awaited<ReturnType<typeof openProxy>>]>, processes: Process[]): Promise<Shown> {
  let placed: Shown | undefined
  for (const [name, proxy] of proxies) {
    const service = { DATABASE_URL: 'postgres', REDIS_URL: 'redis', AMQP_URL: 'rabbitmq' }[name]
    const isLast = async (state: string) => await eventually(`${service} is ${state}`, () => processes.every(({ output }) => linesOf(output).findLast((one) => one.service === service)?.state === state))
    proxy.mode = 'refuse'
    proxy.cut()
    await isLast('down')
    if (name === 'DATABASE_URL') await ask('GET', '/orders', undefined, mine)
    else placed = (await ask('POST', '/orders', line, mine)).body
    proxy.mode = 'pass'
    await isLast('up')
  }
  const { order_id } = placed!
  await eventually('it is booked', () => linesOf(processes[1]!.output).some(({ order_ids }) => order_ids?.includes(order_id)))
  return placed!
}
