import type { ConsumeMessage } from 'amqplib'
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { toldEventCheck } from '../../scripts/asyncapi.js'
import { openChannel } from './broker.js'
import type { Place } from './place.js'

/** A consumer of the exchange with a queue of its own; whatever it is told is held against asyncapi.yaml. */
export async function listenToExchange (t: Test, place: Place, key = '#'): Promise<ConsumeMessage[]> {
  const check = toldEventCheck(readFileSync('asyncapi.yaml', 'utf8'))
  const channel = await openChannel(t, place.env.AMQP_URL!)
  await channel.assertExchange('comanda.events', 'topic', { durable: true })
  const { queue } = await channel.assertQueue('', { exclusive: true })
  await channel.bindQueue(queue, 'comanda.events', key)
  const messages: ConsumeMessage[] = []
  await channel.consume(queue, (message) => {
    if (!message) return
    const event = JSON.parse(message.content.toString()) as { id: string, type: string }
    const { contentType, messageId, type } = message.properties
    const told = [message.fields.routingKey, contentType, messageId, type]
    const wanted = [event.type.replace('comanda.', ''), 'application/cloudevents+json', event.id, event.type]
    const fault = check(event) ?? (told.join() === wanted.join() ? null : `told as ${told.join()}, not ${wanted.join()}`)
    if (fault !== null) t.fail(`an event breaks asyncapi.yaml: ${fault}`, { event })
    messages.push(message)
  }, { noAck: true })
  return messages
}
