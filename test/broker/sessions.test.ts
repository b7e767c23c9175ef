import type { ChannelModel } from 'amqplib'
import t from 'tap'
import { type BrokerSession, BrokerSessions } from '../../src/broker/sessions.js'
import { amqpConnect } from '../support/broker.js'
import { needs, openPlace } from '../support/place.js'

const place = await openPlace(t)

async function openSession (): Promise<BrokerSession> {
  const connection = await amqpConnect(place.env.AMQP_URL!)
  return { connection, channel: await connection.createChannel(), node: 'the only one', close: async () => await connection.close() }
}

t.test('stopping while a session is being opened waits for it, closes it and opens no other', needs('rabbitmq'), async (t) => {
  const opened: BrokerSession[] = []
  let letOpen = () => {}
  const latch = new Promise<void>((resolve) => { letOpen = resolve })
  const sessions = new BrokerSessions({
    open: async () => {
      const session = await openSession()
      opened.push(session)
      await latch
      return session
    },
    onState: (state) => t.fail(`it should say nothing, not ${state}`)
  })
  sessions.start()
  const stopped = sessions.stop()
  letOpen()
  await stopped
  t.equal(opened.length, 1)
  await t.rejects(opened[0]!.connection.createChannel(), 'its connection is closed')
})

t.test('losing a channel that was attached ends the session, and the next one attaches again', needs('rabbitmq'), async (t) => {
  const states: string[] = []
  const attached: ChannelModel[] = []
  let twice = () => {}
  const attachedTwice = new Promise<void>((resolve) => { twice = resolve })
  const sessions = new BrokerSessions({ open: openSession, onState: (state) => { states.push(state) } })
  sessions.attach(async (connection) => {
    const channel = await connection.createChannel()
    attached.push(connection)
    if (attached.length === 2) twice()
    else setImmediate(() => { void channel.close() })
    return channel
  })
  sessions.start()
  await attachedTwice
  await sessions.stop()
  t.same(states.slice(0, 2), ['up', 'down'])
  await t.rejects(attached[1]!.createChannel(), 'the second is closed by stop')
})
