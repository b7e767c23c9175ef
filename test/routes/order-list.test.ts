import type { Response } from 'light-my-request'
import t from 'tap'
import { v7 } from 'uuid'
import type { OrderStatus } from '../../src/orders/status.js'
import { startApi } from '../support/apps.js'
import { newcomer, newOperator, type Person } from '../support/people.js'
import { openPlace } from '../support/place.js'

interface Page { items: Array<{ order_id: string, user_id: number, created_at: string, status: string, next_statuses: string[] }>, next_cursor: string | null }

const place = await openPlace(t)
const api = await startApi(t, place)
const ana = await newcomer(api)
const bia = await newcomer(api)
const operator = await newOperator(api, place)

/** A row as the worker writes it. @returns its id */
async function stored ({ user_id: user }: Person, created: string, status: OrderStatus = 'confirmed'): Promise<string> {
  const id = v7()
  await place.pool.query(`
    insert into orders (order_id, user_id, item_description, item_quantity, item_price, total_value, status, version, event_id, created_at, updated_at)
    values ($1, $2, 'x', 1, 1, 1, $3, 1, $4, $5, $5)`, [id, user, status, v7(), created])
  return id
}

// Several of one moment, so that pages end among equals.
const moments = ['2026-03-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z', '2026-03-02T00:00:00.000Z', '2026-03-03T12:00:00.000Z', '2026-03-03T12:00:00.001Z']
const ofAna: string[] = []
for (const [index, moment] of moments.entries()) ofAna.push(await stored(ana, moment, index === 3 ? 'paid' : 'confirmed'))
const ofBia = [await stored(bia, moments[0]!), await stored(bia, moments[5]!, 'paid')]

const list = async ({ headers }: Person, query = '') => await api.inject({ url: `/orders${query}`, headers })
const ids = (response: Response) => response.json<Page>().items.map((item) => item.order_id)
const linkOf = ({ headers }: Response) => /^<(.*)>; rel="next"$/.exec(headers.link as string ?? '')?.[1]

t.test('a customer sees their own orders, newest first, with their own next moves', async (t) => {
  const response = await list(ana)
  t.equal(response.statusCode, 200)
  const { items, next_cursor: next } = response.json<Page>()
  t.equal(next, null)
  t.equal(response.headers.link, undefined)
  t.strictSame(items.map((item) => item.user_id), moments.map(() => ana.user_id))
  t.strictSame(items.map((item) => item.created_at), moments.toSorted().reverse())
  t.strictSame(ids(response).sort(), ofAna.toSorted())
  t.strictSame(items[0]!.next_statuses, ['cancelled'])
})

t.test('an operator sees everybody\'s orders, or one user\'s', async (t) => {
  t.strictSame(ids(await list(operator)).sort(), [...ofAna, ...ofBia].sort())
  t.strictSame(ids(await list(operator, `?user_id=${bia.user_id}`)).sort(), ofBia.toSorted())
  t.strictSame(ids(await list(operator, '?user_id=2147483647')), [])
  t.strictSame((await list(operator, `?user_id=${bia.user_id}&status=paid`)).json<Page>().items[0]!.next_statuses, ['shipped', 'cancelled'])
})

t.test('a customer may ask for their own user_id and for nobody else\'s', async (t) => {
  t.strictSame(ids(await list(ana, `?user_id=${ana.user_id}`)).sort(), ofAna.toSorted())
  const response = await list(ana, `?user_id=${bia.user_id}`)
  t.match([response.statusCode, response.json()], [403, { type: 'urn:comanda:problem:forbidden', status: 403 }])
})

t.test('pages walk through all orders exactly once, by Link and by next_cursor alike', async (t) => {
  for (const limit of [1, 2, 3, 6, 7, 8]) {
    const seen: string[] = []
    let url: string | undefined = `?limit=${limit}&created_from=2026-01-01T00%3A00%3A00.000Z`
    for (let pages = 0; url !== undefined; pages++) {
      if (pages > moments.length) return t.fail('it never ends')
      const page: Response = await list(ana, url)
      const { items, next_cursor: next } = page.json<Page>()
      t.ok(items.length <= limit && items.length > 0)
      seen.push(...items.map((item) => item.order_id))
      const link = linkOf(page)
      t.equal(link === undefined, next === null)
      if (link !== undefined) {
        const query = new URL(link, 'http://x').searchParams
        t.strictSame([query.get('cursor'), query.get('limit'), query.get('created_from')], [next, String(limit), '2026-01-01T00:00:00.000Z'], 'all else of the query stays')
      }
      url = link?.slice('/orders'.length)
    }
    t.strictSame(seen.toSorted(), ofAna.toSorted(), `limit ${limit}`)
    t.strictSame(seen, ids(await list(ana)), `limit ${limit}, in order`)
  }
})

t.test('an order that comes while somebody walks shifts no page', async (t) => {
  const first = await list(bia, '?limit=1')
  await stored(bia, '2026-04-01T00:00:00.000Z')
  t.strictSame(ids(await list(bia, linkOf(first)!.slice('/orders'.length))), [ofBia[0]])
})

t.test('a cursor does not open somebody else\'s list', async (t) => {
  const { next_cursor: next } = (await list(ana, '?limit=1')).json<Page>()
  for (const { user_id: user } of (await list(bia, `?cursor=${next}`)).json<Page>().items) t.equal(user, bia.user_id)
})

t.test('status and dates choose: from inclusive, to exclusive, in any time zone', async (t) => {
  t.strictSame(ids(await list(ana, '?status=paid')), [ofAna[3]])
  t.strictSame(ids(await list(ana, '?status=shipped')), [])
  t.strictSame(ids(await list(ana, '?created_from=2026-03-03T12:00:00.001Z')), [ofAna[6]])
  t.strictSame(ids(await list(ana, '?created_from=2026-03-03T12:00:00Z&created_to=2026-03-03T12:00:00.001Z')), [ofAna[5]])
  t.strictSame(ids(await list(ana, '?created_from=2026-03-03T09:00:00.000-03:00&created_to=2026-03-03T09:00:00.001-03:00')), [ofAna[5]])
  t.strictSame(ids(await list(ana, '?created_to=2026-03-01T00:00:00.000Z')), [])
  t.strictSame(ids(await list(ana, '?created_from=2026-03-02T00:00:00Z&created_to=2026-03-03T00:00:00Z&status=confirmed')), [ofAna[4]])
})

t.test('a list holds 20 orders unless asked for another number up to 100', async (t) => {
  const many = await newcomer(api)
  await place.pool.query(`
    insert into orders (order_id, user_id, item_description, item_quantity, item_price, total_value, status, version, event_id, created_at, updated_at)
    select gen_random_uuid(), $1, 'x', 1, 1, 1, 'confirmed', 1, gen_random_uuid(), moment, moment from date_trunc('milliseconds', now()) as moment, generate_series(1, 101)`, [many.user_id])
  t.equal(ids(await list(many)).length, 20)
  const most = await list(many, '?limit=100')
  t.equal(ids(most).length, 100)
  t.equal(ids(await list(many, linkOf(most)!.slice('/orders'.length))).length, 1, 'behind 100 equals')
  for (const limit of ['0', '-1', '101', '1e9', '1.5', 'all', '']) t.equal((await list(many, `?limit=${limit}`)).statusCode, 400, limit)
})

t.test('HEAD answers like GET, without the items', async (t) => {
  const { statusCode, body, headers } = await api.inject({ method: 'HEAD', url: '/orders?limit=1', headers: ana.headers })
  t.strictSame([statusCode, body], [200, ''])
  t.match(headers.link, /rel="next"/)
})
