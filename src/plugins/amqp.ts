import type { Channel, ChannelModel } from 'amqplib'
import Fastify from 'fastify'
import fastifyAmqp from 'fastify-amqp'
import fp from 'fastify-plugin'
import { guardConnections } from '../broker/guard.js'
import { type BrokerNode, BrokerNodes } from '../broker/nodes.js'
import { type BrokerSession, BrokerSessions } from '../broker/sessions.js'
import { writeTogether } from '../broker/write-together.js'
import { hostOf } from '../addresses/service-urls.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** null: this process was told to run without the broker */
    broker: BrokerSessions | null
  }
}

/** Seconds; a silent peer is noticed after about three of them. */
const HEARTBEAT = 5
const CONNECT_LIMIT_MS = 2000

/**
 * The broker, in supervised sessions: fastify-amqp awaits its connection while registering and its channel is dead for good
 * after a loss, so each session is a small Fastify instance of its own that boot does not await.
 */
export const amqpPlugin = fp(async (app) => {
  const { amqpUrl } = app.config
  if (amqpUrl === null) {
    app.decorate('broker', null)
    app.health.set('rabbitmq', 'off')
    return
  }
  guardConnections()
  const nodes = new BrokerNodes(amqpUrl)
  const sessions = new BrokerSessions({
    open: async (signal) => await nodes.open(openSession, signal),
    onState: (state, { node, cause }) => app.health.set('rabbitmq', state, { host: hostOf(amqpUrl), ...(node !== undefined && { node }), cause })
  })
  app.decorate('broker', sessions)
  app.addHook('onReady', async () => sessions.start())
  app.addHook('onClose', async () => await sessions.stop())
}, { name: 'amqp', dependencies: ['config', 'health'] })

async function openSession ({ at, url, servername }: BrokerNode): Promise<BrokerSession> {
  const side = Fastify({ pluginTimeout: 0 })
  const target = new URL(url)
  target.searchParams.set('heartbeat', String(HEARTBEAT))
  // Without noDelay a message of several frames waits 40 to 90 ms (Nagle against delayed acks).
  await side.register(fastifyAmqp.default, { url: target.href, socket: { noDelay: true, timeout: CONNECT_LIMIT_MS, ...(servername !== null && { servername }) } }).ready()
  const { connection, channel } = side.getDecorator<{ connection: ChannelModel, channel: Channel }>('amqp')
  writeTogether(connection)
  return { connection, channel, node: at, close: async () => await side.close() }
}
