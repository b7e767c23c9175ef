import t from 'tap'
import { EventPublisher } from '../../src/broker/event-publisher.js'
import { declareTopology } from '../../src/broker/topology.js'
import { writeTogether } from '../../src/broker/write-together.js'
import { amqpConnect, openChannel } from '../support/broker.js'
import { needs, openPlace } from '../support/place.js'

const place = await openPlace(t)
const MESSAGE = { routingKey: 'order.paid', messageId: 'one', type: 'comanda.order.paid', content: Buffer.alloc(900, 'x') }
const WINDOW = 500

t.test('a window of messages leaves in a few system calls, and the broker confirms all of it', needs('rabbitmq'), async (t) => {
  await declareTopology(await openChannel(t, place.env.AMQP_URL!))
  const connection = await amqpConnect(place.env.AMQP_URL!)
  t.teardown(async () => await connection.close())
  writeTogether(connection)
  const publisher = new EventPublisher({ confirmTimeoutMs: 5000, onStuck: () => t.fail('the broker does not confirm') })
  publisher.use(await connection.createConfirmChannel())
  const { stream } = connection.connection as unknown as { stream: Record<'_write' | '_writev', (...given: unknown[]) => void> }
  const single = t.capture(stream, '_write', stream._write)
  const together = t.capture(stream, '_writev', stream._writev)
  await publisher.publish(Array.from({ length: WINDOW }, () => MESSAGE))
  const made = single().length + together().length
  t.ok(made > 0 && made < WINDOW / 5, `${made} calls`)
})
