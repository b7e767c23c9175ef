import pg from 'pg'
import { columnTypes } from '../../src/store/database.js'
import { migrate } from '../../src/store/migrate.js'
import type { Cleanup } from '../../testkit/cleanup.js'

export const USERS = 1000
/** Six orders in ten are of this one. */
export const BIG_USER = 1
/** A hundred orders are of this one, whatever the table holds. */
export const SMALL_USER = 2
/** One order a second, so a table of 1,000,000 holds twelve days. */
export const FIRST_MOMENT = Date.UTC(2026, 0, 1)

/** A migrated database with its users and one connection to it. */
export async function openTables (url: string, cleanup: Cleanup): Promise<pg.Pool> {
  await migrate(url)
  const pool = new pg.Pool({ connectionString: url, max: 1, types: columnTypes })
  pool.on('error', () => {}) // the query under way reports it
  cleanup.add('connection to the tables', async () => await pool.end())
  await insertUsers(pool, USERS)
  return pool
}

type Asked = Pick<pg.ClientBase, 'query'>

export async function insertUsers (client: Asked, count: number): Promise<void> {
  await client.query(`
    insert into users (nick_name, password, full_name, cpf, email, phone_number)
    select 'u' || n, 'x', 'x', lpad(n::text, 11, '0'), 'x', 'x' from generate_series(1, $1::integer) as n`, [count])
}

/**
 * Orders as a long life leaves them: most are delivered, one in a thousand is `shipped`, and fifty are `paid`, whatever the
 * table holds: what is rare has to cost the same in a small table and in a large one.
 */
export async function fill (client: Asked, rows: number): Promise<void> {
  await client.query(`
    insert into orders (order_id, user_id, item_description, item_quantity, item_price, total_value, status, version, event_id, created_at, updated_at)
    select
      (lpad(to_hex(ms), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
      case when n % ($1::integer / 100) = 7 then ${SMALL_USER} when n % 10 < 6 then ${BIG_USER} else 3 + (n::bigint * 7919 % ${USERS - 2})::integer end,
      'Café especial', 2, 1990, 3980,
      case when n % ($1::integer / 50) = 5 then 'paid' when n % 1000 = 3 then 'shipped' when n % 100 = 5 then 'cancelled' when n % 10 < 8 then 'delivered' else 'confirmed' end,
      1, gen_random_uuid(), to_timestamp(ms / 1000), to_timestamp(ms / 1000)
    from generate_series(1, $1::integer) as n, lateral (select ${FIRST_MOMENT} + n::bigint * 1000 as ms) as moment`, [rows])
  await settleTable(client, 'orders')
}

/** The placement of every order there is. */
export async function fillEvents (client: Asked): Promise<void> {
  await client.query(`
    insert into order_events (event_id, order_id, version, type, data, request_id, outcome, occurred_at, recorded_at)
    select order_id, order_id, 1, 'order.placed', to_jsonb(orders) - 'event_id', 'fill', 'applied', created_at, created_at from orders`)
  await settleTable(client, 'order_events')
}

async function settleTable (client: Asked, table: string): Promise<void> {
  await client.query(`vacuum analyze ${table}`)
  await client.query('checkpoint').catch(() => {}) // a given Postgres may not let us
}
