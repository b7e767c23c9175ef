import t, { type Test } from 'tap'
import { EventPublisher } from '../../src/broker/event-publisher.js'
import { declareTopology } from '../../src/broker/topology.js'
import { amqpConnect, openChannel } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { needs, openPlace } from '../support/place.js'
import { openProxy } from '../support/proxy.js'

const place = await openPlace(t)
const MESSAGE = { routingKey: 'order.paid', messageId: 'one', type: 'comanda.order.paid', content: Buffer.from('{}') }

/** A publisher behind a proxy, and how often it took its connection for lost. */
async function open (t: Test) {
  await declareTopology(await openChannel(t, place.env.AMQP_URL!))
  const proxy = await openProxy(t, place.env.AMQP_URL!)
  const connection = await amqpConnect(proxy.url)
  t.teardown(() => proxy.cut())
  const counts = { stuck: 0 }
  const publisher = new EventPublisher({ confirmTimeoutMs: 50, onStuck: () => counts.stuck++ })
  t.equal(publisher.open, false)
  publisher.use(await connection.createConfirmChannel())
  t.equal(publisher.open, true)
  return { proxy, publisher, counts }
}

t.test('a window is published when the broker has confirmed all of it, bound or not', needs('rabbitmq'), async (t) => {
  const { publisher } = await open(t)
  await t.resolves(publisher.publish([MESSAGE, MESSAGE]))
})

t.test('a broker that does not confirm in time is told of, again and again; while it is blocked by an alarm it is not', needs('rabbitmq'), async (t) => {
  const { proxy, publisher, counts } = await open(t)
  proxy.mode = 'deaf'
  publisher.block(true)
  t.equal(publisher.open, false)
  const lost = t.rejects(publisher.publish([MESSAGE]), /not confirmed|lost/)
  const begun = performance.now()
  await eventually('several limits have passed', () => performance.now() - begun > 250)
  t.equal(counts.stuck, 0)
  publisher.block(false)
  await eventually('it is told of', () => counts.stuck > 1)
  proxy.cut()
  await lost
  t.equal(publisher.open, false)
})

t.test('what is given up ends every window under way', needs('rabbitmq'), async (t) => {
  const { proxy, publisher } = await open(t)
  proxy.mode = 'deaf'
  const windows = [publisher.publish([MESSAGE]), publisher.publish([MESSAGE])]
  publisher.abandon()
  for (const window of windows) await t.rejects(window, { message: 'it was given up' })
})
