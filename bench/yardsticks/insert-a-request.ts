/**
 * The naive way, and the yardstick of an order's whole cost: Fastify with the body and response schema of bare-fastify.ts and one
 * insert a request, ten connections; what is answered 201 is a committed row. No authentication, no log, no event, no key.
 */
import type { AddressInfo } from 'node:net'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify from 'fastify'
import pg from 'pg'
import { v7 } from 'uuid'
import { OrderBody, OrderResponse } from '../../src/routes/orders/schemas.js'

const CONNECTIONS = 10
const INSERT = `insert into orders (order_id, user_id, item_description, item_quantity, item_price, total_value, status, version, created_at, updated_at)
  values ($1, $2, $3, $4, $5, $6, 'confirmed', 1, $7, $7)`

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: CONNECTIONS })
pool.on('error', (error) => console.error(error.message))
const app = Fastify().withTypeProvider<TypeBoxTypeProvider>()

app.post('/orders', { schema: { body: OrderBody, response: { 201: OrderResponse } } }, async ({ body }, reply) => {
  const now = new Date().toISOString()
  const order = { order_id: v7(), user_id: 1, ...body, total_value: body.item_quantity * body.item_price, created_at: now, updated_at: now }
  await pool.query({
    name: 'insert_order',
    text: INSERT,
    values: [order.order_id, order.user_id, order.item_description, order.item_quantity, order.item_price, order.total_value, now]
  })
  reply.code(201)
  return { ...order, status: 'confirmed' as const, version: 1, next_statuses: ['paid' as const, 'cancelled' as const] }
})

await app.listen({ host: '127.0.0.1', port: 0 })
process.on('disconnect', () => process.exit())
process.send?.({ port: (app.server.address() as AddressInfo).port })
