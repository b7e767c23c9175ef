/** The order event on the wire: CloudEvents 1.0 in JSON (cloudevents.io, JSON format). */
import { Type, type Static } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { FormatRegistry } from '@sinclair/typebox/type'
import { isMoment } from '../time/moment.js'
import { ACTOR, personOf } from './actor.js'
import { ORDER_EVENT_TYPES, type OrderEvent } from './event.js'
import { MAX_DESCRIPTION, MAX_PRICE, MAX_QUANTITY } from './order.js'
import { ORDER_STATUSES } from './status.js'

export const SCHEMA_VERSION = 1
const SOURCE = '/comanda/api'
const SCHEMA_NAME = 'urn:comanda:order-event:'
/** What this build writes, and all that it reads. */
export const DATASCHEMA = `${SCHEMA_NAME}${SCHEMA_VERSION}`
const BEYOND_ASCII = /[\u007f-\uffff]/
const EACH_BEYOND_ASCII = /[\u007f-\uffff]/g
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
// eslint-disable-next-line no-control-regex -- U+0000 is what is looked for: Postgres stores none
const STORABLE = /^[^\u0000\p{Cs}]*$/u

FormatRegistry.Set('comanda-uuid', (text) => UUID.test(text))
FormatRegistry.Set('comanda-text', (text) => STORABLE.test(text))
FormatRegistry.Set('comanda-moment', isMoment)

const Uuid = Type.String({ format: 'comanda-uuid' })
const Moment = Type.String({ format: 'comanda-moment' })
const oneOf = <T extends string>(values: readonly T[]) => Type.Union(values.map((value) => Type.Literal(value)))

const Data = Type.Object({
  user_id: Type.Integer({ minimum: 1, maximum: 2147483647 }),
  // This compiler counts UTF-16 units where the api and Postgres count characters.
  item_description: Type.String({ minLength: 1, maxLength: MAX_DESCRIPTION * 2, format: 'comanda-text' }),
  item_quantity: Type.Integer({ minimum: 1, maximum: MAX_QUANTITY }),
  item_price: Type.Integer({ minimum: 0, maximum: MAX_PRICE }),
  total_value: Type.Integer({ minimum: 0, maximum: MAX_QUANTITY * MAX_PRICE }),
  status: oneOf(ORDER_STATUSES),
  version: Type.Integer({ minimum: 1, maximum: 2147483647 }),
  base: Type.Union([Uuid, Type.Null()]),
  created_at: Moment
})

/** Attribute names are a-z0-9 only, as CloudEvents asks; unknown extensions are let through, as it asks too. */
const Envelope = Type.Object({
  specversion: Type.Literal('1.0'),
  id: Uuid,
  type: oneOf(ORDER_EVENT_TYPES),
  source: Type.String(),
  subject: Uuid,
  time: Moment,
  datacontenttype: Type.Literal('application/json'),
  dataschema: Type.Literal(`${SCHEMA_NAME}${SCHEMA_VERSION}`),
  requestid: Type.String({ maxLength: 128, format: 'comanda-text' }),
  actor: Type.Optional(Type.String({ pattern: ACTOR })),
  traceparent: Type.Optional(Type.String({ maxLength: 128, format: 'comanda-text' })),
  data: Data
})
export type Envelope = Static<typeof Envelope>
const checker = TypeCompiler.Compile(Envelope)

/** An order event and the JSON it is, in ASCII: written once, by the use case, and then published and cached as it stands. */
export interface SerializedEvent {
  event: OrderEvent
  json: string
}

/**
 * Put together by hand: only text from a client needs escaping. (Measured: JSON.stringify of an object built for it took
 * three times as long.)
 */
export function serializeEvent (event: OrderEvent): SerializedEvent {
  const { event_id, type, base, order, occurred_at, request_id, actor, traceparent } = event
  const json = asciiOf(`{"specversion":"1.0","id":"${event_id}","type":"${type}","source":"${SOURCE}","subject":"${order.order_id}","time":"${occurred_at}",` +
    `"datacontenttype":"application/json","dataschema":"${SCHEMA_NAME}${SCHEMA_VERSION}","requestid":${JSON.stringify(request_id)},` +
    (actor === undefined ? '' : `"actor":"${actor}",`) +
    (traceparent === undefined ? '' : `"traceparent":${JSON.stringify(traceparent)},`) +
    `"data":{"user_id":${order.user_id},"item_description":${JSON.stringify(order.item_description)},"item_quantity":${order.item_quantity},` +
    `"item_price":${order.item_price},"total_value":${order.total_value},"status":"${order.status}","version":${order.version},` +
    `"base":${base === null ? 'null' : `"${base}"`},"created_at":"${order.created_at}"}}`)
  return { event, json }
}

/** The same JSON in ASCII: a string of one-byte characters is copied and written several times faster, and its length is its size. */
function asciiOf (json: string): string {
  return BEYOND_ASCII.test(json) ? json.replace(EACH_BEYOND_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`) : json
}

/** Why something read from the wire is not an order event this build can apply. */
export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError'
  /**
   * `newer_schema`: a reason to wait for a newer worker, never to park; `malformed`: it will never become readable;
   * `forged`: it carries no signature of ours, so nothing in it was looked at
   */
  readonly code: 'newer_schema' | 'malformed' | 'forged'
  /** Of a newer schema, which names its event and its order as every schema does. */
  readonly named: { event_id: string, order_id: string } | undefined

  constructor (code: EnvelopeError['code'], detail: string, options?: ErrorOptions & { named?: { event_id: string, order_id: string } }) {
    super(detail, options)
    this.code = code
    this.named = options?.named
  }
}

/** Whatever was thrown while an event was read, a defect of this build too: the event cannot be read, its mates can. */
export function unreadable (cause: unknown): EnvelopeError {
  if (cause instanceof EnvelopeError) return cause
  return new EnvelopeError('malformed', 'this build fails to read it', { cause })
}

/** @throws EnvelopeError */
export function fromEnvelope (value: unknown): OrderEvent {
  refuseNewerSchema(value)
  if (!checker.Check(value)) {
    const fault = checker.Errors(value).First()
    throw new EnvelopeError('malformed', `${fault?.path ?? ''} ${fault?.message ?? 'not an order event'}`.trim())
  }
  refuseIncoherent(value)
  // Picked one by one: unknown members are let through, not taken over.
  const { user_id, item_description, item_quantity, item_price, total_value, status, version, base, created_at } = value.data
  const order = { order_id: value.subject, user_id, item_description, item_quantity, item_price, total_value, status, version, created_at, updated_at: value.time }
  const event: OrderEvent = { event_id: value.id, type: value.type, base, order, occurred_at: value.time, request_id: value.requestid }
  if (value.actor !== undefined) event.actor = value.actor
  if (value.traceparent !== undefined) event.traceparent = value.traceparent
  return event
}

function refuseNewerSchema (value: unknown): void {
  const { dataschema, id, subject } = (value ?? {}) as { dataschema?: unknown, id?: unknown, subject?: unknown }
  if (typeof dataschema !== 'string' || !dataschema.startsWith(SCHEMA_NAME)) return
  const version = dataschema.slice(SCHEMA_NAME.length)
  if (!/^[1-9]\d*$/.test(version) || Number(version) <= SCHEMA_VERSION) return
  if (!isUuid(id) || !isUuid(subject)) throw new EnvelopeError('malformed', `order event schema ${version}, without the id of an event or of an order`)
  throw new EnvelopeError('newer_schema', `order event schema ${version}; this build knows ${SCHEMA_VERSION}`, { named: { event_id: id, order_id: subject } })
}

function isUuid (value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value)
}

/** What a schema of single members cannot say. */
function refuseIncoherent ({ type, actor, data }: Envelope): void {
  const { item_quantity, item_price, total_value, status, version, base } = data
  if (total_value !== item_quantity * item_price) throw new EnvelopeError('malformed', '/data/total_value is not quantity x price')
  const first = [type === 'order.placed', base === null, version === 1]
  if (first.includes(true) && first.includes(false)) throw new EnvelopeError('malformed', 'exactly a placement has version 1 and no base')
  if (status === 'rejected' || (base === null && status !== 'accepted')) throw new EnvelopeError('malformed', `/data/status: no ${type} makes an order ${status}`)
  if (base === null) refuseForeign(actor, data)
}

function refuseForeign (actor: string | undefined, { user_id }: Envelope['data']): void {
  const person = personOf(actor)
  if (person && person.user_id !== user_id) throw new EnvelopeError('malformed', '/actor: a person places orders for themselves alone')
}
