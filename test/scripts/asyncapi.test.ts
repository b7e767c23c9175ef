import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { asyncapiDocument, asyncapiFaults, brokenEvents, toldEventCheck } from '../../scripts/asyncapi.js'

interface Schema { type?: string, required: string[], properties: Record<string, Schema> }
interface Document {
  asyncapi: string
  channels: Record<string, { address?: string }>
  components: { messages: Record<string, { examples: Array<{ payload: { type: string, sequence?: string } }> }>, schemas: Record<string, Schema> }
}

const yaml = asyncapiDocument()
function changed (change: (document: Document) => void): string {
  const document = parse(yaml) as Document
  change(document)
  return stringify(document, { aliasDuplicateObjects: false })
}

t.test('asyncapi.yaml is what the code tells, and the official schema takes it', async (t) => {
  t.equal(readFileSync('asyncapi.yaml', 'utf8'), yaml)
  t.strictSame(asyncapiFaults(yaml), [])
  t.match(asyncapiFaults(changed((document) => { document.asyncapi = '2' })), [/^asyncapi\.yaml is no AsyncAPI 3\.0: /])
})

t.test('each kind of event has a channel, a message, and an example of that kind that its schema takes', async (t) => {
  const { channels, components: { messages } } = parse(yaml) as Document
  t.equal(Object.keys(channels).length, 8)
  const types = Object.entries(messages).map(([id, { examples: [example] }]) => [channels[id]!.address, example!.payload.type])
  t.ok(types.every(([address, type]) => type === `comanda.${address}`), JSON.stringify(types))
  t.match(asyncapiFaults(changed(({ components }) => { delete components.messages.orderPaid!.examples[0]!.payload.sequence })), [/^the example of comanda\.order\.paid: .*sequence/])
})

t.test('an event that is not as the document says is found', async (t) => {
  const check = toldEventCheck(yaml)
  const event = (parse(yaml) as Document).components.messages.orderPaid!.examples[0]!.payload
  t.equal(check(event), null)
  t.equal(check({ ...event, added: 1 }), null, 'members may be added')
  for (const wrong of [{ ...event, sequence: '42' }, { ...event, type: 'comanda.order.eaten' }, { ...event, data: {} }, {}]) t.type(check(wrong), 'string')
})

t.test('what breaks a consumer is found and named', async (t) => {
  const broken = brokenEvents(yaml, changed(({ channels, components: { messages, schemas } }) => {
    delete messages.orderPaid
    channels.orderShipped!.address = 'order.sent'
    const { ToldEvent, ToldOrder } = schemas
    ToldEvent!.required = ToldEvent!.required.filter((member) => member !== 'time')
    delete ToldEvent!.properties.partitionkey
    ToldOrder!.properties.total_value!.type = 'string'
  }))
  t.strictSame(broken, [
    { operation: 'comanda.order.paid', what: 'The event was removed.' },
    { operation: 'order.shipped', what: 'The routing key was changed.' },
    { operation: 'ToldEvent', what: 'time may be missing.' },
    { operation: 'ToldEvent.partitionkey', what: 'It was removed.' },
    { operation: 'ToldOrder.total_value', what: 'Its type was changed.' }
  ])
  t.strictSame(brokenEvents(yaml, yaml), [])
  t.strictSame(brokenEvents(yaml, changed(({ components: { schemas } }) => { schemas.ToldOrder!.properties.colour = { type: 'string' } as Schema })), [], 'members may be added')
})
