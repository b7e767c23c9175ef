/** Listens to the exchange and to the stream, and keeps when each event was heard. */
import { setTimeout as wait } from 'node:timers/promises'
import { type Channel, connect } from 'amqplib'
import { EventStreamParser } from '../../clients/typescript/follow/event-stream.js'
import { EVENTS_EXCHANGE } from '../../src/broker/topology.js'
import type { Heard, ListenerJob } from './listener.js'

const QUEUE = 'bench.listener'
const LIMIT_MS = 30_000
const POLL_MS = 20

const sofar: Heard = { exchange: [], stream: [] }
let channel: Channel | null = null

function keep (way: keyof Heard, json: string): void {
  const at = performance.timeOrigin + performance.now()
  sofar[way].push([(JSON.parse(json) as { id: string }).id, at])
}

async function listen ({ amqpUrl, url, token }: ListenerJob): Promise<void> {
  channel = await (await connect(amqpUrl, { noDelay: true })).createChannel()
  await channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  await channel.bindQueue(QUEUE, EVENTS_EXCHANGE, '#')
  await channel.consume(QUEUE, (message) => { if (message) keep('exchange', message.content.toString()) }, { noAck: true })
  const headers = { authorization: `Bearer ${token}` }
  const { next_after: after } = await fetch(`${url}/events?after=now&limit=1`, { headers }).then(async (answer) => await answer.json() as { next_after: number })
  const { ok, status, body } = await fetch(`${url}/events`, { headers: { ...headers, accept: 'text/event-stream', 'last-event-id': String(after) } })
  if (!ok || body === null) throw new Error(`GET /events: ${status}`)
  void read(body).catch((error: Error) => process.send?.({ error: `the stream ended: ${error.message}` }))
}

async function read (body: AsyncIterable<unknown>): Promise<void> {
  const [parser, decoder] = [new EventStreamParser(), new TextDecoder()]
  for await (const bytes of body) for (const { data } of parser.push(decoder.decode(bytes as Uint8Array, { stream: true }))) keep('stream', data)
}

async function heard (events: number): Promise<Heard> {
  const deadline = performance.now() + LIMIT_MS
  while (sofar.exchange.length < events || sofar.stream.length < events) {
    if (performance.now() > deadline) throw new Error(`of ${events} events ${sofar.exchange.length} came by the exchange, ${sofar.stream.length} by the stream`)
    await wait(POLL_MS)
  }
  return sofar
}

async function answer (message: { job?: ListenerJob, begin?: true, events?: number, stop?: true }): Promise<object> {
  if (message.job) await listen(message.job)
  if (message.begin) Object.assign(sofar, { exchange: [], stream: [] })
  if (message.stop) await channel?.deleteQueue(QUEUE)
  return message.events === undefined ? {} : { heard: await heard(message.events) }
}

process.on('disconnect', () => process.exit())
process.on('message', (message: Parameters<typeof answer>[0]) => {
  answer(message).then(
    (result) => process.send?.(result),
    (error: Error) => process.send?.({ error: error.message })
  )
})
