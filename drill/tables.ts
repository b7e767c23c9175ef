import pg from 'pg'
import type { OrderInput } from '../src/orders/order.js'
import { columnTypes } from '../src/store/database.js'
import type { DrillService } from './own-service.js'

export interface OrderRow extends OrderInput {
  order_id: string
  user_id: number
  total_value: number
  status: string
  version: number
  event_id: string
}

export interface EventRow {
  event_id: string
  order_id: string
  version: number
  base: string | null
  type: string
  /** The order after it. */
  data: OrderRow
  request_id: string
  outcome: 'applied' | 'waiting' | 'rejected'
  reason: string | null
  /** In the feed; null: not settled. */
  position: number | null
  /** How often an operator had it decided anew. */
  reopened: number
  /** When the outcome was committed, milliseconds since 1970. */
  committed: number
}

/** What Postgres holds at the end. */
export interface Tables {
  orders: OrderRow[]
  events: EventRow[]
  fallback: Array<{ event_id: string, order_id: string }>
  parked: Array<{ source: string, reason: string, attempts: number, raw: string }>
}

/** @param url straight to the server, whose `track_commit_timestamp` is on */
export async function readTables (url: string): Promise<Tables> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000, types: columnTypes })
  await client.connect()
  try {
    const all = async <Row extends object>(text: string) => (await client.query<Row>(text)).rows
    await client.query('begin isolation level repeatable read read only')
    return {
      orders: await all<OrderRow>('select order_id, user_id, item_description, item_quantity, item_price, total_value, status, version, event_id from orders'),
      events: await all<EventRow>(`select event_id, order_id, version, base, type, data, request_id, outcome, reason, position, coalesce(reopened, 0) as reopened,
        extract(epoch from pg_xact_commit_timestamp(xmin))::float8 * 1000 as committed from order_events`),
      fallback: await all('select event_id, order_id from fallback_queue'),
      parked: await all("select source, reason, attempts, encode(raw, 'escape') as raw from parked_events")
    }
  } finally {
    await client.end()
  }
}

/** Rows of the fallback queue, and events that wait for their base. */
export interface Depths { fallback: number, waiting: number }

/** Counts what is not booked yet, on a connection of its own that is opened again after each loss. */
export class TableGauge {
  readonly #postgres: Pick<DrillService, 'url'>
  #pool: { url: string, own: pg.Pool } | null = null

  constructor (postgres: Pick<DrillService, 'url'>) {
    this.#postgres = postgres
  }

  /** null while Postgres does not answer */
  async depths (): Promise<Depths | null> {
    try {
      const { rows } = await this.#current().query<Depths>(`
        select (select count(*)::int from fallback_queue) as fallback, (select count(*)::int from order_events where outcome = 'waiting') as waiting`)
      return rows[0]!
    } catch {
      return null
    }
  }

  async close (): Promise<void> {
    await this.#pool?.own.end()
  }

  /** To the server that leads, which may have become another. */
  #current (): pg.Pool {
    const { url } = this.#postgres
    if (this.#pool?.url === url) return this.#pool.own
    void this.#pool?.own.end()
    const own = new pg.Pool({ connectionString: url, max: 1, connectionTimeoutMillis: 1000, query_timeout: 1000 })
    own.on('error', () => {})
    this.#pool = { url, own }
    return own
  }
}
