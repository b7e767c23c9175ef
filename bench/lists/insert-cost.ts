import type pg from 'pg'
import { v7 } from 'uuid'
import { type OrderEvent, placeOrder } from '../../src/orders/event.js'
import type { OrderStatus } from '../../src/orders/status.js'
import { persistedView } from '../../src/orders/view.js'
import { type Client, inTransaction } from '../../src/store/database.js'
import { insertPlacements, updateOrders } from '../../src/store/orders.js'
import { applyBatch } from '../../src/worker/batch.js'
import { BIG_USER, USERS } from '../setup/orders-table.js'

/** The worker's own bound for a batch. */
const BATCH = 1000

/** Ways to index the lists, each in a database of its own. The first is what the others are measured against. */
export const INDEXES = {
  'descending, no status': ['user_id, created_at desc, order_id desc', 'created_at desc, order_id desc'],
  'ascending, no status': ['user_id, created_at, order_id', 'created_at, order_id'],
  'ascending by status': ['user_id, status, created_at, order_id', 'status, created_at, order_id']
}
export type Indexing = keyof typeof INDEXES

export interface Step {
  what: string
  /** Milliseconds of each batch. */
  times: Record<Indexing, number[]>
}

/** Replaces the secondary indexes of `orders`. */
export async function index (pool: pg.Pool, columns: readonly string[]): Promise<void> {
  await pool.query('drop index orders_by_user_and_status, orders_by_status')
  for (const [number, list] of columns.entries()) await pool.query(`create index orders_list_${number} on orders (${list})`)
}

/** The worker's statements in batches of 1000 over each way of indexing; the tables take turns, so that others on the machine slow all alike. */
export async function measureSteps (pools: Record<Indexing, pg.Pool>, batches: number): Promise<Step[]> {
  const placed: OrderEvent[][] = []
  const place = () => {
    const batch = Array.from({ length: BATCH }, placement)
    placed.push(batch)
    return batch
  }
  const move = (status: OrderStatus) => (number: number) => placed[number]!.map((event) => persistedView({ ...event, order: { ...event.order, status, version: 2 } }))
  return [
    await measure('orders inserted', pools, batches, place, insertPlacements),
    await measure('orders and events inserted (the whole batch)', pools, batches, place, applyBatch),
    await measure('lines amended (no index changes)', pools, batches / 2, move('confirmed'), updateOrders),
    await measure('statuses changed', pools, batches / 2, (number) => move('paid')(number + batches), updateOrders)
  ]
}

async function measure<T> (what: string, pools: Record<Indexing, pg.Pool>, batches: number, make: (number: number) => T, work: (client: Client, given: T) => Promise<unknown>): Promise<Step> {
  const names = Object.keys(INDEXES) as Indexing[]
  const times: Record<Indexing, number[]> = { 'descending, no status': [], 'ascending, no status': [], 'ascending by status': [] }
  for (let number = 0; number < batches; number++) {
    const given = make(number)
    for (const name of number % 2 === 0 ? names : names.toReversed()) {
      const started = performance.now()
      await inTransaction(pools[name], async (client) => await work(client, given))
      times[name].push(performance.now() - started)
    }
  }
  return { what, times }
}

/** About a third are of one user. */
function placement (): OrderEvent {
  return placeOrder({
    order_id: v7(),
    event_id: v7(),
    user_id: Math.random() < 0.3 ? BIG_USER : 1 + Math.floor(Math.random() * USERS),
    input: { item_description: 'Café especial', item_quantity: 2, item_price: 1990 },
    now: new Date().toISOString(),
    request_id: 'bench'
  })
}
