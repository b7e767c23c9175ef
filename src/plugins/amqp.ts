import type { Channel, ChannelModel } from 'amqplib'
import Fastify from 'fastify'
import fastifyAmqp from 'fastify-amqp'
import fp from 'fastify-plugin'
import { guardConnections } from '../broker/guard.js'
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
  const host = hostOf(amqpUrl)
  guardConnections()
  const sessions = new BrokerSessions({
    open: () => openSession(amqpUrl),
    onState: (state, cause) => app.health.set('rabbitmq', state, { host, cause })
  })
  app.decorate('broker', sessions)
  app.addHook('onReady', async () => sessions.start())
  app.addHook('onClose', async () => await sessions.stop())
}, { name: 'amqp', dependencies: ['config', 'health'] })

async function openSession (url: string): Promise<BrokerSession> {
  const side = Fastify({ pluginTimeout: 0 })
  const target = new URL(url)
  target.searchParams.set('heartbeat', String(HEARTBEAT))
  // Without noDelay a message of several frames waits 40 to 90 ms (Nagle against delayed acks).
  await side.register(fastifyAmqp.default, { url: target.href, socket: { noDelay: true, timeout: CONNECT_LIMIT_MS } }).ready()
  const { connection, channel } = side.getDecorator<{ connection: ChannelModel, channel: Channel }>('amqp')
  writeTogether(connection)
  return { connection, channel, close: async () => await side.close() }
}
