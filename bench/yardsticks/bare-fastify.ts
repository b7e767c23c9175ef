/**
 * The yardstick of the api: Fastify with the same body and response schema and an answer of the same size, and nothing
 * else: no authentication, no log, no event, no other header. Tells its port to whoever forked it.
 */
import type { AddressInfo } from 'node:net'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify from 'fastify'
import type { OrderForCaller } from '../../src/orders/view.js'
import { OrderBody, OrderResponse } from '../../src/routes/orders/schemas.js'

const ORDER: Omit<OrderForCaller, keyof OrderBody | 'total_value'> = {
  order_id: '01890a5d-ac96-774b-bcce-b302099a8057',
  user_id: 1,
  status: 'accepted',
  version: 1,
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
  next_statuses: ['cancelled']
}
let shown: OrderForCaller | null = null

const app = Fastify().withTypeProvider<TypeBoxTypeProvider>()

app.post('/orders', { schema: { body: OrderBody, response: { 202: OrderResponse } } }, async ({ body }, reply) => {
  reply.code(202)
  return { ...ORDER, ...body, total_value: body.item_quantity * body.item_price }
})

app.get('/orders/:order_id', { schema: { response: { 200: OrderResponse } } }, async () => {
  if (!shown) throw new Error('nothing to show')
  return shown
})

await app.listen({ host: '127.0.0.1', port: 0 })
process.on('disconnect', () => process.exit())
process.on('message', (message: { shown: OrderForCaller }) => {
  shown = message.shown
  process.send?.({ taken: true })
})
process.send?.({ port: (app.server.address() as AddressInfo).port })
