import type pg from 'pg'
import type { OrderFilter } from '../../src/orders/page.js'
import { listOrders } from '../../src/store/orders.js'
import { explainList, pagesRead, type PlanNode, rowsRead } from '../../testkit/plans.js'
import { quantile } from '../figures.js'
import { BIG_USER, FIRST_MOMENT, SMALL_USER } from '../setup/orders-table.js'

/** What the api asks for a page of 20: one more tells whether there is a next. */
const LIMIT = 21

export interface Shape {
  /** Who, status, dates, page. */
  words: [string, string, string, string]
  filter: OrderFilter
}

/** Every combination of filters, over a table of this many rows. */
export function shapes (rows: number): Shape[] {
  const at = (share: number, seconds = 0) => new Date(FIRST_MOMENT + (Math.round(rows * share) + seconds) * 1000).toISOString()
  const behind = (moment: string) => ({ after: { created_at: moment, order_id: '80000000-0000-7000-8000-000000000000' } })
  const who: Array<[string, object]> = [['everybody', {}], ['a user with most', { user_id: BIG_USER }], ['a user with few', { user_id: SMALL_USER }]]
  const status: Array<[string, object]> = [['any', {}], ['common', { status: 'delivered' }], ['rare', { status: 'paid' }]]
  const dates: Array<[string, object, deep: string]> = [
    ['any', {}, at(0.5)],
    ['a minute', { created_from: at(0.5, -30), created_to: at(0.5, 30) }, at(0.5)],
    ['half of all', { created_from: at(0.25), created_to: at(0.75) }, at(0.5)]
  ]
  return who.flatMap(([person, user]) => status.flatMap(([state, wanted]) => dates.flatMap(([period, window, deep]) =>
    ([['first', {}], ['deep', behind(deep)]] as const).map(([page, after]): Shape =>
      ({ words: [person, state, period, page], filter: { limit: LIMIT, ...user, ...wanted, ...window, ...after } })))))
}

export interface Timed { p50: number, p99: number }

/** Milliseconds of each shape over each table; the tables take turns, so that others on the machine slow all alike. */
export async function timeShapes (tables: ReadonlyArray<{ pool: pg.Pool, shapes: readonly Shape[] }>, rounds: number): Promise<Timed[][]> {
  const times = tables.map(({ shapes }) => shapes.map((): number[] => []))
  for (let round = 0; round < rounds; round++) {
    for (const [table, { pool, shapes }] of tables.entries()) {
      for (const [index, { filter }] of shapes.entries()) {
        const started = performance.now()
        await listOrders(pool, filter)
        times[table]![index]!.push(performance.now() - started)
      }
    }
  }
  return times.map((ofTable) => ofTable.map((values) => ({ p50: quantile(values, 0.5), p99: quantile(values, 0.99) })))
}

/** What Postgres does for a shape, in few words: how it reads `orders`, how many rows, how many pages of 8 KiB. */
export async function planOf (pool: pg.Pool, { filter }: Shape): Promise<{ how: string, rows: number, pages: number }> {
  const client = await pool.connect()
  try {
    const nodes = await explainList(client, filter, 'generic')
    return { how: nodes.filter((node) => node['Relation Name'] === 'orders').map(inWords).join(', '), rows: rowsRead(nodes), pages: pagesRead(nodes) }
  } finally {
    client.release()
  }
}

function inWords (node: PlanNode): string {
  return `${node['Actual Loops']} x ${node['Node Type']} ${node['Index Name'] ?? ''}`.trim()
}
