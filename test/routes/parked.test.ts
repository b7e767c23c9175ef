import { randomUUID } from 'node:crypto'
import type { Response } from 'light-my-request'
import t from 'tap'
import { serializeEvent } from '../../src/orders/envelope.js'
import { park, type ParkedEvent, parkedId } from '../../src/store/parked-events.js'
import { startApi, startWorker } from '../support/apps.js'
import { signed } from '../support/broker.js'
import { booked, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { newcomer, newOperator } from '../support/people.js'
import { openPlace } from '../support/place.js'
import { isProblem } from '../support/problems.js'

const place = await openPlace(t)
const { pool } = place
const api = await startApi(t, place, { AMQP_URL: '' })
const [ana, operator] = [await newcomer(api), await newOperator(api, place)]

interface Parked { parked_id: string, reason: string, source: string, attempts: number, events: number, order_id: string | null, bytes: number, settlement: string | null, raw: string, encoding: string, fault: string | null, actions: Array<{ action: string, done_by: string }> }
interface Page { items: Parked[], next_cursor: string | null }
const get = async (url: string): Promise<Response> => await api.inject({ url, headers: operator.headers })
const post = async (url: string, payload?: object): Promise<Response> => await api.inject({ method: 'POST', url, headers: operator.headers, ...(payload ? { payload } : {}) })
const listed = async (query: Record<string, string>) => (await get(`/parked?${new URLSearchParams(query).toString()}`)).json<Page>()

/** An event that a replay books, parked. */
async function parkOne (given: Partial<ParkedEvent> = {}): Promise<{ id: string, order: string }> {
  const event = placement(ana.user_id)
  const raw = Buffer.from(serializeEvent(event).json)
  await park(pool, [{ source: 'queue', reason: 'unknown_user', attempts: 1, headers: {}, raw, user_id: ana.user_id, ...given }])
  return { id: parkedId(given.raw ?? raw), order: event.order.order_id }
}

t.test('a list holds the open ones, newest first, page by page, whatever is parked meanwhile', async (t) => {
  const reason = randomUUID()
  const ids: string[] = []
  for (let index = 0; index < 5; index++) ids.unshift((await parkOne({ reason })).id)
  const first = await listed({ reason, limit: '2' })
  await parkOne({ reason })
  const second = await listed({ reason, limit: '2', cursor: first.next_cursor! })
  const third = await listed({ reason, limit: '2', cursor: second.next_cursor! })
  t.strictSame([first, second, third].map(({ items }) => items.map(({ parked_id: id }) => id)), [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
  t.equal(third.next_cursor, null)
  t.match((await get(`/parked?reason=${reason}&limit=2`)).headers.link, /^<\/parked\?reason=.*cursor=.*>; rel="next"$/)
  isProblem(t, await get('/parked?cursor=bm90IG91cnM'), 400, 'bad-cursor')
})

t.test('each filter finds what fits it, by the bytes too, whatever they are', async (t) => {
  const reason = `${randomUUID()} % ' \\`
  const readable = await parkOne({ reason, source: 'fallback', attempts: 7 })
  const raw = Buffer.from([0, 255, 254, ...Buffer.from('naïve')])
  const bytes = await parkOne({ reason, source: 'dead', raw })
  const found = async (query: Record<string, string>) => (await listed({ reason, ...query })).items.map(({ parked_id: id }) => id)
  t.strictSame(await found({}), [bytes.id, readable.id])
  t.strictSame(await found({ source: 'dead' }), [bytes.id])
  t.strictSame(await found({ order_id: readable.order.toUpperCase() }), [readable.id])
  t.strictSame(await found({ text: 'naïve' }), [bytes.id])
  t.strictSame(await found({ text: 'na_ve' }), [])
  t.strictSame(await found({ parked_before: '2020-01-01T00:00:00Z' }), [])
  t.strictSame(await found({ parked_from: '2020-01-01T00:00:00Z' }), [bytes.id, readable.id])
  t.strictSame(await found({ settled: 'true' }), [])
  t.match((await listed({ reason, source: 'fallback' })).items, [{ source: 'fallback', attempts: 7, events: 1, order_id: readable.order, user_id: ana.user_id, settlement: null }])
  t.match((await get(`/parked/${bytes.id}`)).json(), { raw: raw.toString('base64'), encoding: 'base64', events: 0, order_id: null, fault: String })
})

t.test('of what is large a list tells the size, and its own address all', async (t) => {
  const reason = randomUUID()
  const raw = Buffer.from(`[${Array.from({ length: 300 }, () => serializeEvent(placement(ana.user_id)).json).join(',')}]`)
  const { id } = await parkOne({ reason, raw })
  t.match((await listed({ reason })).items, [{ bytes: raw.length, events: 0, order_id: null }])
  t.match((await get(`/parked/${id}`)).json(), { bytes: raw.length, events: 300, raw: raw.toString() })
})

t.test('groups tell how many of each reason and source are open', async (t) => {
  const reason = randomUUID()
  await parkOne({ reason })
  await parkOne({ reason })
  const discarded = await parkOne({ reason })
  await post(`/parked/${discarded.id}/discard`)
  await parkOne({ reason, source: 'dead' })
  const { items } = (await get('/parked/groups')).json<{ items: Array<{ reason: string, source: string, open: number }> }>()
  t.match(items.filter((group) => group.reason === reason), [{ source: 'queue', open: 2 }, { source: 'dead', open: 1 }])
})

t.test('one that is replayed is booked, once, and shows as replayed with who did it', async (t) => {
  const { id, order } = await parkOne()
  t.match((await post(`/parked/${id}/replay`)).json(), { events: 1, parked: { settlement: 'replayed', settled_at: String } })
  t.match((await post(`/parked/${id}/replay`)).json(), { events: 0, parked: { settlement: 'replayed' } })
  isProblem(t, await post(`/parked/${id}/discard`), 409, 'parked-settled')
  const whole = (await get(`/parked/${id}`)).json<Parked>()
  t.match(whole.actions, [{ action: 'replayed', done_by: `operator:${operator.user_id}` }])
  t.equal(whole.actions.length, 1)
  await startWorker(t, place, { AMQP_URL: '' })
  await eventually('it is booked', async () => (await booked(pool, [order])).orders.length === 1)
})

t.test('the same bytes parked again are open again, under the reason for which they were parked first', async (t) => {
  const raw = Buffer.from(serializeEvent(placement(ana.user_id)).json)
  const { id } = await parkOne({ raw, reason: 'unknown_user' })
  await post(`/parked/${id}/discard`)
  t.match((await get(`/parked/${id}`)).json(), { settlement: 'discarded' })
  await parkOne({ raw, reason: 'defect' })
  t.match((await get(`/parked/${id}`)).json(), { settlement: null, settled_at: null, reason: 'unknown_user', attempts: 2, actions: [{ action: 'discarded' }] })
})

t.test('what is not signed is not replayed, and what is no event neither: both stay open', async (t) => {
  const forged = await parkOne({ reason: 'forged' })
  isProblem(t, await post(`/parked/${forged.id}/replay`), 409, 'parked-forged')
  const raw = Buffer.from(serializeEvent(placement(ana.user_id)).json)
  const ours = await parkOne({ raw, reason: 'forged', headers: signed(raw) })
  t.equal((await post(`/parked/${ours.id}/replay`)).statusCode, 200, 'signed by us it is')
  const none = await parkOne({ raw: Buffer.from(randomUUID()) })
  isProblem(t, await post(`/parked/${none.id}/replay`), 409, 'parked-unreadable')
  for (const { id } of [forged, none]) t.equal((await get(`/parked/${id}`)).json<Parked>().settlement, null)
})

t.test('many are counted first, then settled by a job, whose address tells how far it is', async (t) => {
  const reason = randomUUID()
  const parked = [await parkOne({ reason }), await parkOne({ reason }), await parkOne({ reason })]
  t.strictSame((await post('/parked/discard', { reason, dry_run: true })).json(), { total: 3 })
  t.strictSame((await post('/parked/discard', { ids: [parked[0]!.id, '0'.repeat(64)], dry_run: true })).json(), { total: 1 })
  t.equal((await listed({ reason })).items.length, 3, 'nothing was done')
  const begun = await post('/parked/discard', { ids: parked.slice(0, 2).map(({ id }) => id) })
  t.equal(begun.statusCode, 202)
  t.match(begun.json(), { kind: 'parked.discard', total: 2, state: 'running', actor: `operator:${operator.user_id}` })
  await startWorker(t, place, { AMQP_URL: '' })
  await eventually('it is done', async () => (await get(begun.headers.location as string)).json<{ state: string }>().state === 'done')
  t.match((await get(begun.headers.location as string)).json(), { done: 2, failed: 0 })
  t.strictSame((await listed({ reason })).items.map(({ parked_id: id }) => id), [parked[2]!.id])
  t.match((await get('/jobs?state=done&limit=1')).json(), { items: [{ kind: 'parked.discard' }] })
  isProblem(t, await get('/jobs?cursor=x'), 400, 'bad-cursor')
})

t.test('what was done is listed by who did it and to what, page by page', async (t) => {
  const other = await newOperator(api, place)
  const ids = [await parkOne(), await parkOne(), await parkOne()].map(({ id }) => id)
  for (const id of ids) await api.inject({ method: 'POST', url: `/parked/${id}/discard`, headers: other.headers })
  const actions = async (query: string) => (await get(`/actions?actor=operator:${other.user_id}&${query}`)).json<{ items: Array<{ action: string, target_id: string, way: string }>, next_cursor: string }>()
  const first = await actions('limit=2')
  const second = await actions(`limit=2&cursor=${first.next_cursor}`)
  t.strictSame([...first.items, ...second.items].map(({ action, target_id: id, way }) => [action, id, way]), ids.reverse().map((id) => ['parked.discarded', id, 'api']))
  t.equal(second.next_cursor, null)
  t.equal((await actions(`target_id=${ids[0]}&target_kind=parked_event`)).items.length, 1)
  t.equal((await actions('action=user.read')).items.length, 0)
  t.equal((await actions(`since=${new Date(Date.now() + 60_000).toISOString()}`)).items.length, 0)
  isProblem(t, await get('/actions?cursor=x'), 400, 'bad-cursor')
  isProblem(t, await get('/actions?actor=someone'), 400, 'validation-failed')
})
