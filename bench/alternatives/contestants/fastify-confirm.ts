/** One confirmed publish a request to a quorum queue; the worker inserts message by message, as the tutorials do. */
import { connect } from 'amqplib'
import { insertOrder, openPool, type Order } from './order.js'
import { role, serve, started } from './process.js'

const QUEUE = 'alternative.fastify-confirm'

const connection = await connect(process.env.AMQP_URL!, { noDelay: true })

async function api (): Promise<void> {
  const channel = await connection.createConfirmChannel()
  await channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  await serve((order) => new Promise<void>((resolve, reject) => {
    channel.sendToQueue(QUEUE, Buffer.from(JSON.stringify(order)), { persistent: true, contentType: 'application/json' },
      (error: Error | null) => error ? reject(error) : resolve())
  }), () => connection.close())
}

async function worker (): Promise<void> {
  const pool = openPool()
  const channel = await connection.createChannel()
  await channel.prefetch(100)
  await channel.consume(QUEUE, async (message) => {
    if (message === null) return
    await insertOrder(pool, JSON.parse(message.content.toString()) as Order)
    channel.ack(message)
  })
  started({ ready: true })
}

await (role === 'api' ? api() : worker())
