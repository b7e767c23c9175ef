import type { Tables } from '../setup/tables.js'

/** The worker's own bound for a batch. */
const BATCH = 1000

/** The columns that are filled, with their types: the very ones that the worker leaves behind. */
const COLUMNS = {
  orders: {
    order_id: 'uuid',
    user_id: 'integer',
    item_description: 'text',
    item_quantity: 'integer',
    item_price: 'integer',
    total_value: 'bigint',
    status: 'text',
    version: 'integer',
    event_id: 'uuid',
    created_at: 'timestamptz',
    updated_at: 'timestamptz'
  },
  order_events: {
    event_id: 'uuid',
    order_id: 'uuid',
    version: 'integer',
    base: 'uuid',
    type: 'text',
    data: 'jsonb',
    request_id: 'text',
    outcome: 'text',
    reason: 'text',
    occurred_at: 'timestamptz',
    recorded_at: 'timestamptz'
  }
} as const

type Table = keyof typeof COLUMNS
type Row = Record<string, string | null>

export interface UnnestInsert { orders: number, seconds: number, rate: number }

/**
 * The yardstick of the drain: the rows that the worker has just written are read, the tables emptied and the same rows
 * inserted again by `insert ... select from unnest` and nothing else: one connection, one transaction a batch. The rows
 * lie ready as text; nothing is received, decoded, checked, shown or acked.
 */
export async function unnestInsert (tables: Tables): Promise<UnnestInsert> {
  const orders = await readRows(tables, 'orders')
  const events = await readRows(tables, 'order_events')
  await tables.empty()
  const started = performance.now()
  for (let from = 0; from < orders.length; from += BATCH) {
    await tables.client.query('begin')
    await insert(tables, 'orders', orders.slice(from, from + BATCH))
    await insert(tables, 'order_events', events.slice(from, from + BATCH))
    await tables.client.query('commit')
  }
  const seconds = (performance.now() - started) / 1000
  await tables.expectOrders({ least: orders.length, most: orders.length })
  return { orders: orders.length, seconds, rate: orders.length / seconds }
}

async function readRows ({ client }: Tables, table: Table): Promise<Row[]> {
  const columns = Object.keys(COLUMNS[table]).map((name) => `${name}::text`)
  return (await client.query<Row>(`select ${columns.join(', ')} from ${table}`)).rows
}

async function insert ({ client }: Tables, table: Table, rows: readonly Row[]): Promise<void> {
  const columns = Object.entries(COLUMNS[table])
  const arrays = columns.map(([, type], index) => `$${index + 1}::${type}[]`)
  await client.query({
    name: `insert_${table}`,
    text: `insert into ${table} (${columns.map(([name]) => name).join(', ')}) select * from unnest(${arrays.join(', ')})`,
    values: columns.map(([name]) => rows.map((row) => row[name]))
  })
}
