import { connect, type ChannelModel, type ConfirmChannel } from 'amqplib'
import type { Test } from 'tap'
import { SIGNATURE, signatureOf } from '../../src/broker/signature.js'
import { INTAKE_EXCHANGE, INTAKE_KEY } from '../../src/broker/topology.js'
import { Mac } from '../../src/secrets/mac.js'

/** Every place's EVENT_KEYS. */
export const EVENT_KEY = 'a-key-of-events-for-tests-that-is-long-enough'

export async function amqpConnect (url: string): Promise<ChannelModel> {
  const connection = await connect(url, { noDelay: true })
  connection.on('error', () => {})
  return connection
}

/** A channel with confirms for a test's own traffic. */
export async function openChannel (t: Test, url: string): Promise<ConfirmChannel> {
  const connection = await amqpConnect(url)
  t.teardown(async () => await connection.close().catch(() => {}))
  return await connection.createConfirmChannel()
}

/** The headers of a message that an api published. */
export function signed (content: Buffer | string, keys: readonly string[] = [EVENT_KEY]): Record<string, unknown> {
  return { [SIGNATURE]: signatureOf(new Mac(keys, 'order message'), Buffer.from(content)) }
}

/** Puts bytes into the orders queue as an api would. */
export async function publishRaw (channel: ConfirmChannel, content: Buffer | string, contentType = 'application/cloudevents+json', headers = signed(content)): Promise<void> {
  channel.publish(INTAKE_EXCHANGE, INTAKE_KEY, Buffer.from(content), { persistent: true, contentType, headers })
  await channel.waitForConfirms()
}
