/**
 * What the exchange is told, as AsyncAPI 3: types, keys and schemas from the code that tells them, examples by the very mapping.
 * `npm run openapi` writes it beside openapi.yaml, `npm run contract` checks it.
 */
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { parse, stringify } from 'yaml'
import { ONE_EVENT } from '../src/broker/codec.js'
import { EVENTS_EXCHANGE } from '../src/broker/topology.js'
import { ToldEvent, ToldOrder } from '../src/feed/schema.js'
import { version } from '../src/logs/logger.js'
import { HAPPENINGS, type Happening } from '../src/orders/feed-event.js'
import { exampleOf } from './told-examples.js'

const SUMMARIES: Record<Happening, string> = {
  confirmed: 'An order was booked',
  amended: 'Its owner changed an order',
  paid: 'An order was paid',
  shipped: 'An order was shipped',
  delivered: 'An order was delivered',
  cancelled: 'An order was cancelled',
  rejected: 'An order could not be placed',
  change_rejected: 'A change of an order was lost'
}

export function asyncapiDocument (): string {
  return stringify({
    asyncapi: '3.0.0',
    info: {
      title: 'Comanda events',
      version,
      description: 'What happened to orders, told through RabbitMQ. docs/events.md says how to listen and what is guaranteed: at least once, in the order of `sequence`, and `id` tells a repetition. Members and types may be added: pass over those that you do not know.',
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' }
    },
    defaultContentType: ONE_EVENT,
    channels: collect((what) => ({
      [channelOf(what)]: {
        address: `order.${what}`,
        messages: { [channelOf(what)]: { $ref: `#/components/messages/${channelOf(what)}` } },
        bindings: { amqp: { is: 'routingKey', exchange: { name: EVENTS_EXCHANGE, type: 'topic', durable: true, autoDelete: false, vhost: '/' }, bindingVersion: '0.3.0' } }
      }
    })),
    operations: collect((what) => ({
      [`tell${capital(channelOf(what))}`]: {
        action: 'send',
        summary: SUMMARIES[what],
        channel: { $ref: `#/channels/${channelOf(what)}` },
        messages: [{ $ref: `#/channels/${channelOf(what)}/messages/${channelOf(what)}` }],
        security: [{ $ref: '#/components/securitySchemes/user' }],
        bindings: { amqp: { deliveryMode: 2, bindingVersion: '0.3.0' } }
      }
    })),
    components: {
      securitySchemes: { user: { type: 'userPassword', description: 'A user of the broker; only the relay may write to the exchange' } },
      messages: collect((what) => ({
        [channelOf(what)]: {
          name: `comanda.order.${what}`,
          title: SUMMARIES[what],
          contentType: ONE_EVENT,
          payload: { allOf: [{ $ref: '#/components/schemas/ToldEvent' }, { type: 'object', properties: { type: { const: `comanda.order.${what}` } } }] },
          bindings: { amqp: { messageType: `comanda.order.${what}`, bindingVersion: '0.3.0' } },
          examples: [{ name: what, payload: exampleOf(what) }]
        }
      })),
      schemas: { ToldEvent: plain(ToldEvent), ToldOrder: plain(ToldOrder) }
    }
  }, { aliasDuplicateObjects: false, lineWidth: 0 })
}

function collect (each: (what: Happening) => Record<string, object>): Record<string, object> {
  return Object.assign({}, ...HAPPENINGS.map(each)) as Record<string, object>
}

/** `orderChangeRejected` */
function channelOf (what: Happening): string {
  return `order${what.split('_').map(capital).join('')}`
}

function capital (word: string): string {
  return word[0]!.toUpperCase() + word.slice(1)
}

/** A named schema inside another is a reference. */
function plain (schema: { $id?: string }): object {
  const { $id, ...own } = JSON.parse(JSON.stringify(schema), (_key, value: unknown) => {
    const { $id: name } = (value ?? {}) as { $id?: string }
    return name !== undefined && name !== schema.$id ? { $ref: `#/components/schemas/${name}` } : value
  }) as { $id?: string }
  return own
}

/** Whether the official schema of AsyncAPI takes this document, and its schemas the examples. */
export function asyncapiFaults (yaml: string): string[] {
  const document = parse(yaml) as { components: { messages: Record<string, { name: string, examples: Array<{ payload: object }> }>, schemas: { ToldEvent: object } } }
  const official = JSON.parse(readFileSync('node_modules/@asyncapi/specs/schemas/3.0.0.json', 'utf8')) as object
  const ajv = addFormats.default(new Ajv({ strict: false, meta: false, validateSchema: false }))
  const isValid = ajv.compile(official)
  const faults = isValid(document) ? [] : [`asyncapi.yaml is no AsyncAPI 3.0: ${ajv.errorsText(isValid.errors)}`]
  const isTold = toldEventCheck(yaml)
  const examples = Object.values(document.components.messages).flatMap(({ name, examples }) => examples.map(({ payload }) => ({ name, fault: isTold(payload) })))
  return [...faults, ...examples.flatMap(({ name, fault }) => fault === null ? [] : [`the example of ${name}: ${fault}`])]
}

/** Holds what is told against the document. @returns what is wrong with an event; null: nothing is */
export function toldEventCheck (yaml: string): (event: unknown) => string | null {
  const { components } = parse(yaml) as { components: object }
  const ajv = addFormats.default(new Ajv({ strict: false }))
  ajv.addSchema({ $id: 'asyncapi', components })
  const check = ajv.getSchema('asyncapi#/components/schemas/ToldEvent')!
  return (event) => check(event) ? null : ajv.errorsText(check.errors)
}

interface Schema { type?: string, $ref?: string, required?: string[], properties?: Record<string, Schema> }
interface Contract {
  channels: Record<string, { address: string }>
  components: { messages: Record<string, { name: string }>, schemas: Record<string, Schema> }
}

/** What a consumer of the older events may not survive: by the event's type, or by the schema and member. */
export function brokenEvents (older: string, newer: string): Array<{ operation: string, what: string }> {
  const [before, after] = [parse(older) as Contract, parse(newer) as Contract]
  const gone = Object.entries(before.components.messages).filter(([id]) => !(id in after.components.messages)).map(([, { name }]) => ({ operation: name, what: 'The event was removed.' }))
  const moved = Object.entries(before.channels).filter(([id, { address }]) => after.channels[id] && after.channels[id].address !== address).map(([, { address }]) => ({ operation: address, what: 'The routing key was changed.' }))
  const schemas = Object.entries(before.components.schemas).flatMap(([name, schema]) => brokenMembers(name, schema, after.components.schemas[name]))
  return [...gone, ...moved, ...schemas]
}

function brokenMembers (at: string, before: Schema, after: Schema | undefined): Array<{ operation: string, what: string }> {
  if (!after) return [{ operation: at, what: 'It was removed.' }]
  const own = [
    ...(before.type === after.type && before.$ref === after.$ref ? [] : ['Its type was changed.']),
    ...(before.required ?? []).filter((member) => !after.required?.includes(member)).map((member) => `${member} may be missing.`)
  ].map((what) => ({ operation: at, what }))
  return [...own, ...Object.entries(before.properties ?? {}).flatMap(([member, schema]) => brokenMembers(`${at}.${member}`, schema, after.properties?.[member]))]
}
