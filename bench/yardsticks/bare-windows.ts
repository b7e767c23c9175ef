import { type ConfirmChannel, connect } from 'amqplib'
import { EVENTS_EXCHANGE } from '../../src/broker/topology.js'

const WINDOW = 500
const CONTENT = Buffer.alloc(900, 'x')

/**
 * So many messages of an event's size, made beforehand, in windows as the relay's: the next is published while the broker confirms
 * the one before. What is left is the broker, and the client library.
 * @returns messages a second
 */
export async function bareWindows (amqpUrl: string, messages: number): Promise<number> {
  const connection = await connect(amqpUrl, { noDelay: true })
  try {
    const channel = await connection.createConfirmChannel()
    const started = performance.now()
    let before: Promise<void> = Promise.resolve()
    let sent = 0
    for (; sent < messages; sent += WINDOW) {
      const window = publish(channel)
      await before
      before = window
    }
    await before
    return sent / (performance.now() - started) * 1000
  } finally {
    await connection.close()
  }
}

async function publish (channel: ConfirmChannel): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let left = WINDOW
    for (let message = 0; message < WINDOW; message++) {
      channel.publish(EVENTS_EXCHANGE, 'order.confirmed', CONTENT, { persistent: true, contentType: 'application/cloudevents+json', messageId: '0198c0e4-7000-7000-8000-000000000000', type: 'comanda.order.confirmed', appId: 'comanda' }, (error: unknown) => {
        if (error) reject(new Error('not confirmed by the broker', { cause: error }))
        else if (--left === 0) resolve()
      })
    }
  })
}
