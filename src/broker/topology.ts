import type { Channel, ChannelModel } from 'amqplib'

/**
 * Every exchange and queue, declared by api and worker alike, identically.
 * A change of queue arguments is refused by the broker (406): it means a new queue name.
 */
export const INTAKE_EXCHANGE = 'comanda.intake'
export const ORDERS_QUEUE = 'comanda.orders'
export const DEAD_QUEUE = 'comanda.orders.dead'
export const INTAKE_KEY = 'order'
/** Where others learn what happened; each who listens binds a queue of their own. */
export const EVENTS_EXCHANGE = 'comanda.events'

/**
 * At-least-once dead lettering asks for `overflow: reject-publish` (RabbitMQ, "Quorum Queues").
 * The delivery limit is a backstop only: the broker charges every message of a lost channel, the innocent too.
 */
const ORDERS_ARGUMENTS = {
  'x-queue-type': 'quorum',
  'x-dead-letter-exchange': '',
  'x-dead-letter-routing-key': DEAD_QUEUE,
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
  'x-delivery-limit': 100
}

const QUEUES = {
  [DEAD_QUEUE]: { durable: true, arguments: { 'x-queue-type': 'quorum' } },
  [ORDERS_QUEUE]: { durable: true, arguments: ORDERS_ARGUMENTS }
}
export type QueueName = keyof typeof QUEUES
export const QUEUE_NAMES = Object.keys(QUEUES) as QueueName[]

const EXCHANGES = { [INTAKE_EXCHANGE]: 'direct', [EVENTS_EXCHANGE]: 'topic' } as const
export type ExchangeName = keyof typeof EXCHANGES

export async function declareExchange (channel: Channel, name: ExchangeName): Promise<void> {
  await channel.assertExchange(name, EXCHANGES[name], { durable: true })
}

export async function declareQueue (channel: Channel, name: QueueName): Promise<void> {
  await channel.assertQueue(name, QUEUES[name])
}

export async function declareTopology (channel: Channel): Promise<void> {
  await declareExchange(channel, INTAKE_EXCHANGE)
  await declareExchange(channel, EVENTS_EXCHANGE)
  await declareQueue(channel, DEAD_QUEUE)
  await declareQueue(channel, ORDERS_QUEUE)
  await channel.bindQueue(ORDERS_QUEUE, INTAKE_EXCHANGE, INTAKE_KEY)
}

/**
 * Declares it, or sees that it is there where the user may declare nothing: with least rights it was made beforehand
 * (deploy/rabbitmq), and a process that is taken over can delete no queue. Each on a channel of its own: a refusal ends its channel.
 */
export async function ensureTopology (connection: ChannelModel): Promise<void> {
  try {
    await onOwnChannel(connection, declareTopology)
  } catch (error) {
    if ((error as { code?: number }).code !== ACCESS_REFUSED) throw error
    await onOwnChannel(connection, checkTopology)
  }
}

const ACCESS_REFUSED = 403

/** Passive declares need no right. A missing binding does not show: what is published then comes back. */
async function checkTopology (channel: Channel): Promise<void> {
  for (const name of Object.keys(EXCHANGES)) await channel.checkExchange(name)
  for (const name of QUEUE_NAMES) await channel.checkQueue(name)
}

async function onOwnChannel (connection: ChannelModel, use: (channel: Channel) => Promise<void>): Promise<void> {
  const channel = await connection.createChannel()
  channel.on('error', () => {}) // the call under way tells it
  await use(channel)
  await channel.close()
}
