import t, { type Test } from 'tap'
import { decodeMessage, type DecodedEvent, encodeMessage, EVENT_BATCH, ONE_EVENT } from '../../src/broker/codec.js'
import { type Envelope, EnvelopeError, fromEnvelope, serializeEvent } from '../../src/orders/envelope.js'
import type { OrderEvent } from '../../src/orders/event.js'
import { MAX_PRICE, MAX_QUANTITY } from '../../src/orders/order.js'
import { amendment, placement } from '../support/events.js'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const placed = placement(1, { traceparent })
const wire = (event: OrderEvent) => JSON.parse(serializeEvent(event).json) as Envelope
const good = wire(placed)
type Change = Partial<Record<keyof Envelope, unknown>>
const eventIn = (one: DecodedEvent) => 'event' in one ? one.event : one.fault
const withData = (given: object): Change => ({ data: { ...good.data, ...given } })

/** The code of the refusal; null when it was read. */
function refusal (value: unknown): string | null {
  try {
    fromEnvelope(value)
    return null
  } catch (error) {
    if (error instanceof EnvelopeError) return error.code
    throw error
  }
}

/** Each fault alone on an otherwise good envelope. */
function refused (t: Test, faults: Record<string, Change>): void {
  for (const [name, fault] of Object.entries(faults)) t.equal(refusal({ ...good, ...fault }), 'malformed', name)
}

t.test('an event is a CloudEvent 1.0 whose attribute names are a-z0-9 only', async (t) => {
  t.match(good, { specversion: '1.0', id: placed.event_id, type: 'order.placed', subject: placed.order.order_id, datacontenttype: 'application/json', requestid: 'test', traceparent })
  for (const name of Object.keys(good)) t.match(name, /^[a-z0-9]{1,20}$/)
  for (const name of ['id', 'source', 'specversion', 'type'] as const) t.ok(good[name].length > 0, `${name} is required`)
})

t.test('every kind of event comes back as it was', async (t) => {
  const amended = amendment(placed)
  const later = (type: OrderEvent['type'], status: OrderEvent['order']['status']): OrderEvent => {
    const occurred_at = '2026-12-01T08:00:00.001Z'
    return { ...amended, type, occurred_at, order: { ...amended.order, status, updated_at: occurred_at } }
  }
  const largest = placement(2147483647)
  Object.assign(largest.order, { item_description: '🌺'.repeat(256), item_quantity: MAX_QUANTITY, item_price: MAX_PRICE, total_value: MAX_QUANTITY * MAX_PRICE })
  const { traceparent: _, ...untraced } = placed
  const { actor: __, ...unnamed } = placed
  for (const event of [placed, untraced, unnamed, amended, later('order.cancelled', 'cancelled'), later('order.status_changed', 'shipped'), largest]) {
    t.strictSame(fromEnvelope(wire(event)), event, event.type)
  }
})

t.test('an envelope without one of its members is malformed', async (t) => {
  for (const name of Object.keys(good)) {
    if (name === 'traceparent' || name === 'actor') continue
    t.equal(refusal({ ...good, [name]: undefined }), 'malformed', name)
    const { [name as keyof Envelope]: _, ...without } = good
    t.equal(refusal(without), 'malformed', name)
  }
  for (const name of Object.keys(good.data)) {
    const { [name as keyof Envelope['data']]: _, ...data } = good.data
    t.equal(refusal({ ...good, data }), 'malformed', `data.${name}`)
  }
})

t.test('a member of the wrong type is malformed', async (t) => {
  for (const name of Object.keys(good)) for (const wrong of [null, 7, true, [], {}]) t.equal(refusal({ ...good, [name]: wrong }), 'malformed', `${name} ${JSON.stringify(wrong)}`)
  for (const [name, value] of Object.entries(good.data)) {
    const wrongs = [true, [], {}, typeof value === 'number' ? String(value) : 7, ...(name === 'base' ? [] : [null])]
    for (const wrong of wrongs) t.equal(refusal({ ...good, ...withData({ [name]: wrong }) }), 'malformed', `data.${name} ${JSON.stringify(wrong)}`)
  }
  for (const value of [null, undefined, 7, 'x', [], {}, [good]]) t.equal(refusal(value), 'malformed', JSON.stringify(value))
})

t.test('a value outside its bounds is malformed', async (t) => {
  refused(t, {
    'another specversion': { specversion: '0.3' },
    'an unknown type': { type: 'order.exploded' },
    'another content type': { datacontenttype: 'application/xml' },
    'an id that is no UUID': { id: 'e1' },
    'an id in capitals': { id: good.id.toUpperCase() },
    'a subject that is no UUID': { subject: 'o1' },
    'a long requestid': { requestid: 'r'.repeat(129) },
    'user 0': withData({ user_id: 0 }),
    'a user beyond int4': withData({ user_id: 2147483648 }),
    'quantity 0': withData({ item_quantity: 0, total_value: 0 }),
    'quantity 1.5': withData({ item_quantity: 1.5, total_value: 750 }),
    'quantity above the bound': withData({ item_quantity: MAX_QUANTITY + 1, item_price: 0, total_value: 0 }),
    'a negative price': withData({ item_price: -1, total_value: -2 }),
    'a price above the bound': withData({ item_quantity: 1, item_price: MAX_PRICE + 1, total_value: MAX_PRICE + 1 }),
    'no description': withData({ item_description: '' }),
    'a description beyond all counting': withData({ item_description: 'x'.repeat(513) }),
    'an unknown status': withData({ status: 'lost' }),
    'version 0': withData({ version: 0 }),
    'version 1.5': withData({ version: 1.5 }),
    'a version beyond int4': withData({ version: 2147483648, base: placed.event_id }),
    'a base that is no UUID': { ...withData({ base: 'e0', version: 2 }), type: 'order.amended' }
  })
})

t.test('a total that is not quantity x price is malformed', async (t) => {
  refused(t, { 'one more': withData({ total_value: 1001 }), zero: withData({ total_value: 0 }), 'a fraction': withData({ total_value: 1000.5 }), 'as text': withData({ total_value: '1000' }) })
})

t.test('text that Postgres cannot store is malformed', async (t) => {
  for (const poison of ['a\u0000b', 'a\ud800b', '\udc00', 'a\ud83d']) {
    const name = JSON.stringify(poison)
    refused(t, { [`description ${name}`]: withData({ item_description: poison }), [`requestid ${name}`]: { requestid: poison }, [`traceparent ${name}`]: { traceparent: poison } })
  }
  t.equal(refusal({ ...good, ...withData({ item_description: 'Café ☕ 🌺\n\u200d' }) }), null)
})

t.test('a date that does not exist is malformed', async (t) => {
  const dates = ['2026-02-30T12:00:00.000Z', '2026-04-31T12:00:00.000Z', '2025-02-29T12:00:00.000Z', '2026-13-01T12:00:00.000Z', '2026-11-23T24:00:00.000Z', '2026-11-23T12:60:00.000Z',
    '0000-01-01T00:00:00.000Z', '2026-11-23T12:00:00Z', '2026-11-23T12:00:00.000+03:00', '2026-11-23', '+275760-09-13T00:00:00.000Z', 'now', '']
  for (const date of dates) refused(t, { [`time ${date}`]: { time: date }, [`created_at ${date}`]: withData({ created_at: date }) })
  t.equal(refusal({ ...good, time: '2024-02-29T23:59:59.999Z' }), null)
})

t.test('a person places orders for themselves alone', async (t) => {
  refused(t, { 'a customer for another': { actor: 'user:2' }, 'an operator for a customer': { actor: 'operator:7' } })
  for (const actor of ['user:1', 'operator:1', 'key:a1b2c3d4', 'rule:stale']) t.equal(refusal({ ...good, actor }), null, actor)
})

t.test('an actor that is not in form is malformed', async (t) => {
  for (const actor of ['', 'ana', 'user:', ':1', 'user:1\n', 'user:1"', 'User:1', `key:${'k'.repeat(65)}`, 1, null]) refused(t, { [JSON.stringify(actor)]: { actor } })
})

t.test('exactly a placement has version 1, no base and the status accepted', async (t) => {
  const change = wire(amendment(placed))
  refused(t, {
    'a placement with a base': withData({ base: placed.event_id }),
    'a placement of version 2': withData({ version: 2 }),
    'a change without a base': { ...change, data: { ...change.data, base: null } },
    'a change of version 1': { ...change, data: { ...change.data, version: 1 } },
    'a change that looks like a placement': { type: 'order.amended' },
    'a placement that is paid already': withData({ status: 'paid' }),
    'a change to rejected': { ...change, data: { ...change.data, status: 'rejected' } }
  })
  t.equal(refusal(change), null)
})

t.test('an event of a newer schema is to be waited for, whatever else it holds', async (t) => {
  for (const version of [2, 3, 10, 999]) t.equal(refusal({ ...good, dataschema: `urn:comanda:order-event:${version}` }), 'newer_schema', String(version))
  t.equal(refusal({ id: good.id, subject: good.subject, dataschema: 'urn:comanda:order-event:2', data: 'no longer an object' }), 'newer_schema')
  for (const given of [{}, { id: good.id }, { id: good.id, subject: 'x' }, { id: 1, subject: good.subject }]) t.equal(refusal({ ...given, dataschema: 'urn:comanda:order-event:2' }), 'malformed', 'it names no event')
})

t.test('an event of a schema that never was is malformed', async (t) => {
  for (const dataschema of ['urn:comanda:order-event:0', 'urn:comanda:order-event:-1', 'urn:comanda:order-event:', 'urn:comanda:order-event:1.1', 'urn:comanda:order-event:1e3', 'urn:other:1', '']) refused(t, { [`"${dataschema}"`]: { dataschema } })
})

t.test('unknown extension attributes and unknown members of data are let through and not taken over', async (t) => {
  const value = { ...good, tracestate: 'a=b', partitionkey: 'x', ...withData({ gift_wrap: true, reason: 'none', order_id: 'other', updated_at: 'later' }) }
  t.strictSame(fromEnvelope(value), placed)
})

t.test('whatever somebody typed comes back as it was, and is ASCII on its way', async (t) => {
  for (const text of ['"', '\\', '\\u0000', '\n\t\r\b\u0001', '\u2028\u2029', '</script>', '}{"', 'Café ☕ 🫘', '\u0085\u00ff', ' ']) {
    const event = { ...placed, request_id: text, traceparent: text, order: { ...placed.order, item_description: text } }
    t.strictSame(fromEnvelope(wire(event)), event)
    t.equal(Buffer.byteLength(serializeEvent(event).json), serializeEvent(event).json.length)
  }
})

t.test('one event is a CloudEvent, several are a batch, and both are read back', async (t) => {
  const encoded = [placed, placement(2), amendment(placed)].map(serializeEvent)
  const one = encodeMessage(encoded.slice(0, 1))
  t.equal(one.contentType, ONE_EVENT)
  t.strictSame(decodeMessage(one.content).map(eventIn), [placed])
  const batch = encodeMessage(encoded)
  t.equal(batch.contentType, EVENT_BATCH)
  t.strictSame(decodeMessage(batch.content).map(eventIn), encoded.map(({ event }) => event))
})

t.test('what holds no event is malformed, with its own bytes', async (t) => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('not JSON'), Buffer.from('{"a":'), Buffer.from([0xff, 0xfe, 0x00]), Buffer.from('[]'), Buffer.from('[ ]'), Buffer.from('null'), Buffer.from('7'), Buffer.from('{ }')]) {
    const [first, ...more] = decodeMessage(bytes)
    t.same(more, [])
    if (!first || !('fault' in first)) return t.fail(`${bytes.toString()} was read as an event`)
    t.equal(first.fault.code, 'malformed')
    t.ok(first.raw().equals(bytes), JSON.stringify(bytes.toString()))
  }
})

t.test('one bad member of a batch leaves the others and is given with its own bytes', async (t) => {
  const bad = JSON.stringify({ ...good, data: { ...good.data, item_quantity: 'two' }, note: 'é' })
  const newer = JSON.stringify({ ...good, dataschema: 'urn:comanda:order-event:2' })
  const decoded = decodeMessage(Buffer.from(`[${serializeEvent(placed).json},${bad},null,${newer},${serializeEvent(placement(1)).json}]`))
  t.strictSame(decoded.map((one) => 'event' in one ? 'event' : one.fault.code), ['event', 'malformed', 'malformed', 'newer_schema', 'event'])
  t.strictSame(decoded.map((one) => 'event' in one ? '' : one.raw().toString()), ['', bad, 'null', newer, ''])
})

t.test('nesting without end does not take the reader down', async (t) => {
  const depth = 100_000
  const [one] = decodeMessage(Buffer.from('['.repeat(depth) + ']'.repeat(depth)))
  t.ok(one && 'fault' in one && one.fault.code === 'malformed')
})
