import type { Channel } from 'amqplib'

/**
 * Every exchange and queue, declared by api and worker alike, identically.
 * A change of queue arguments is refused by the broker (406): it means a new queue name.
 */
export const INTAKE_EXCHANGE = 'comanda.intake'
export const ORDERS_QUEUE = 'comanda.orders'
export const DEAD_QUEUE = 'comanda.orders.dead'
export const INTAKE_KEY = 'order'

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

export async function declareExchange (channel: Channel): Promise<void> {
  await channel.assertExchange(INTAKE_EXCHANGE, 'direct', { durable: true })
}

export async function declareQueue (channel: Channel, name: QueueName): Promise<void> {
  await channel.assertQueue(name, QUEUES[name])
}

export async function declareTopology (channel: Channel): Promise<void> {
  await declareExchange(channel)
  await declareQueue(channel, DEAD_QUEUE)
  await declareQueue(channel, ORDERS_QUEUE)
  await channel.bindQueue(ORDERS_QUEUE, INTAKE_EXCHANGE, INTAKE_KEY)
}
