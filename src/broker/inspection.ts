import type { Channel, ChannelModel } from 'amqplib'
import { declareExchange, declareQueue, type ExchangeName, INTAKE_EXCHANGE, type QueueName } from './topology.js'

/** How what the broker holds compares with the topology. */
export type Standing =
  | { state: 'as_declared' }
  | { state: 'missing' }
  /** `argument` is the broker's word: an argument's name, or `type`, `durable` */
  | { state: 'different', argument: string, ours: string, theirs: string }
  | { state: 'forbidden' }

/** `messages` are ready ones, without those that a worker holds. */
export interface Depth { messages: number, consumers: number }

export interface QueueState {
  standing: Standing
  /** null where there is no such queue */
  depth: Depth | null
}

/** @throws what ends the connection, or is no answer about the exchange */
export async function inspectExchange (connection: ChannelModel, name: ExchangeName): Promise<Standing> {
  return await compare(connection, async (channel) => { await channel.checkExchange(name) }, async (channel) => await declareExchange(channel, name))
}

/** @throws as above */
export async function inspectQueue (connection: ChannelModel, name: QueueName): Promise<QueueState> {
  let depth: QueueState['depth'] = null
  const standing = await compare(connection, async (channel) => {
    const { messageCount, consumerCount } = await channel.checkQueue(name)
    depth = { messages: messageCount, consumers: consumerCount }
  }, async (channel) => await declareQueue(channel, name))
  return { standing, depth }
}

/** On a channel of its own: a refusal ends no other. @throws what the broker refuses */
export async function depthOf (connection: ChannelModel, name: QueueName): Promise<Depth> {
  const channel = await connection.createChannel()
  channel.on('error', () => {}) // the call under way tells it
  const { messageCount, consumerCount } = await channel.checkQueue(name)
  await channel.close()
  return { messages: messageCount, consumers: consumerCount }
}

/**
 * A passive declare tells a missing one and creates nothing, but compares nothing; the real one compares, and creates nothing
 * of what was there a moment before.
 */
async function compare (connection: ChannelModel, isThere: (channel: Channel) => Promise<void>, declare: (channel: Channel) => Promise<void>): Promise<Standing> {
  const channel = await connection.createChannel()
  channel.on('error', () => {}) // the call under way tells it
  try {
    await isThere(channel)
    await declare(channel)
    await channel.close()
    return { state: 'as_declared' }
  } catch (error) {
    return refusal(error as Error & { code?: number })
  }
}

/** The reply codes of AMQP 0-9-1; which argument differs stands in the text alone. */
function refusal (error: Error & { code?: number }): Standing {
  if (error.code === 404) return { state: 'missing' }
  if (error.code === 403) return { state: 'forbidden' }
  if (error.code !== 406) throw error
  const [, argument, ours, theirs] = /inequivalent arg '([^']+)'.*: received (.+) but current is (.+?)"?$/.exec(error.message) ?? []
  return { state: 'different', argument: argument ?? 'not named', ours: valueOf(ours), theirs: valueOf(theirs) }
}

/** `none`, `'6'`, `the value 'quorum' of type 'longstr'`. */
function valueOf (told = 'not told'): string {
  return /'([^']*)'/.exec(told)?.[1] ?? told
}

/**
 * Whether an alarm is in force. A broker tells only those who publish, so one empty message is published that no binding takes
 * and the broker drops; an alarmed one reads nothing after it.
 * The connection must not be used, nor closed in order, after it.
 * @returns why it takes no messages, as it says; null when it takes them
 * @throws when it cannot be told: the exchange is missing, or the user may not publish
 */
export async function findAlarm (connection: ChannelModel): Promise<string | null> {
  const blocked = new Promise<string>((resolve) => connection.once('blocked', (reason: unknown) => resolve(String(reason))))
  const channel = await connection.createConfirmChannel()
  const failed = new Promise<never>((_resolve, reject) => channel.once('error', reject))
  channel.publish(INTAKE_EXCHANGE, 'nobody', Buffer.alloc(0))
  const taken = channel.waitForConfirms().then(async () => await channel.checkExchange(INTAKE_EXCHANGE)).then(() => null)
  return await Promise.race([blocked, failed, taken])
}
