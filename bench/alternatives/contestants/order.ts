import type { Static } from '@sinclair/typebox'
import pg from 'pg'
import { v7 } from 'uuid'
import type { OrderBody, OrderResponse } from '../../../src/routes/orders/schemas.js'

export type Body = Static<typeof OrderBody>
export type Order = Static<typeof OrderResponse>

export function newOrder (body: Body): Order {
  const now = new Date().toISOString()
  return {
    order_id: v7(),
    user_id: 1,
    ...body,
    total_value: body.item_quantity * body.item_price,
    status: 'accepted',
    version: 1,
    created_at: now,
    updated_at: now,
    next_statuses: ['cancelled']
  }
}

/** The database of this trial, ten connections. */
export function openPool (): pg.Pool {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
  pool.on('error', (error) => console.error(error.message))
  return pool
}

/** A queue delivers at least once: a second time changes nothing. */
export async function insertOrder (pool: pg.Pool, order: Order): Promise<void> {
  await pool.query({
    name: 'insert_order',
    text: `insert into orders (order_id, user_id, item_description, item_quantity, item_price, total_value, status, version, created_at, updated_at)
      values ($1, $2, $3, $4, $5, $6, 'confirmed', $7, $8, $9) on conflict do nothing`,
    values: [order.order_id, order.user_id, order.item_description, order.item_quantity, order.item_price, order.total_value, order.version, order.created_at, order.updated_at]
  })
}

/** For a worker that is handed its jobs in batches. */
export async function insertOrders (pool: pg.Pool, orders: readonly Order[]): Promise<void> {
  const rows = orders.map((order) => ({ ...order, status: 'confirmed' }))
  await pool.query({
    name: 'insert_orders',
    text: 'insert into orders select * from json_populate_recordset(null::orders, $1) on conflict do nothing',
    values: [JSON.stringify(rows)]
  })
}
