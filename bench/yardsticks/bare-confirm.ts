import { connect } from 'amqplib'
import { encodeMessage } from '../../src/broker/codec.js'
import { serializeEvent } from '../../src/orders/envelope.js'
import { placeOrder } from '../../src/orders/event.js'
import { type Latency, latencyOf } from '../figures.js'

const QUEUE = 'bench.confirms'
const WARM_UP = 100

/**
 * The yardstick of a lone order: one persistent message as large as an order's, published to a quorum queue and confirmed,
 * and only then the next; nobody consumes. Milliseconds.
 */
export async function bareConfirms (amqpUrl: string, seconds: number): Promise<Latency> {
  const connection = await connect(amqpUrl, { noDelay: true })
  try {
    const channel = await connection.createConfirmChannel()
    await channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    const { content } = encodeMessage([serializeEvent(placement())])
    const publish = async () => await new Promise<void>((resolve, reject) => {
      channel.sendToQueue(QUEUE, content, { persistent: true, mandatory: true }, (error: unknown) => error ? reject(new Error('not confirmed', { cause: error })) : resolve())
    })
    for (let count = 0; count < WARM_UP; count++) await publish()
    const times: number[] = []
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
      const started = performance.now()
      await publish()
      times.push(performance.now() - started)
    }
    await channel.deleteQueue(QUEUE)
    return latencyOf(Float64Array.from(times))
  } finally {
    await connection.close()
  }
}

function placement () {
  const id = '01890a5d-ac96-774b-bcce-b302099a8057'
  return placeOrder({
    order_id: id,
    event_id: id,
    user_id: 1,
    input: { item_description: 'Café especial 250 g, torra média ☕', item_quantity: 2, item_price: 4990 },
    now: '2026-01-01T00:00:00.000Z',
    request_id: id
  })
}
