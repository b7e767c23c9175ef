import { connect } from 'amqplib'
import { declareTopology, EVENTS_EXCHANGE } from '../../src/broker/topology.js'

const QUEUE = 'bench.listener'

/** A queue as another service would bind it, that gathers what is told. @returns what takes it away */
export async function listenerQueue (amqpUrl: string): Promise<() => Promise<void>> {
  const connection = await connect(amqpUrl)
  const channel = await connection.createChannel()
  await declareTopology(channel)
  await channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  await channel.bindQueue(QUEUE, EVENTS_EXCHANGE, '#')
  return async () => {
    await channel.deleteQueue(QUEUE)
    await connection.close()
  }
}
