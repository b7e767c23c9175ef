import amqplib, { type ChannelModel } from 'amqplib'

let guarded = false

/**
 * Gives every connection an `error` listener from its first moment. fastify-amqp hands its connection over only once a
 * channel is open on it: a link that dies in between emits `error` without a listener, which ends the process. (Seen: connections
 * reset 5 to 50 ms after opening killed the api.) Both packages share one amqplib by the override in package.json.
 */
export function guardConnections (): void {
  if (guarded) return
  guarded = true
  const { connect } = amqplib
  const guardedConnect = async (...given: Parameters<typeof connect>): Promise<ChannelModel> => {
    const connection = await connect(...given)
    return connection.on('error', () => {}) // `close` follows; code that waits on the connection is told
  }
  Object.assign(amqplib, { connect: guardedConnect })
}
