import { connect, type ChannelModel, type ConfirmChannel } from 'amqplib'
import type { Test } from 'tap'
import { INTAKE_EXCHANGE, INTAKE_KEY } from '../../src/broker/topology.js'

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

/** Puts bytes into the orders queue as an api would. */
export async function publishRaw (channel: ConfirmChannel, content: Buffer | string, contentType = 'application/cloudevents+json'): Promise<void> {
  channel.publish(INTAKE_EXCHANGE, INTAKE_KEY, Buffer.from(content), { persistent: true, contentType })
  await channel.waitForConfirms()
}
