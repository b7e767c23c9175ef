import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { OrderBody, OrderResponse } from '../../../src/routes/orders/schemas.js'
import { type Body, newOrder, type Order } from './order.js'

/** Which of an alternative's processes this is. */
export const role = process.argv[2] === 'worker' ? 'worker' : 'api'

/**
 * Says so to whoever forked us, and ends in order on SIGTERM.
 * @param close not given by a consumer of RabbitMQ: what it has not acknowledged goes back to the queue
 */
export function started (message: { port: number } | { ready: true }, close = async (): Promise<unknown> => null): void {
  process.on('disconnect', () => process.exit())
  process.on('SIGTERM', () => {
    close().then(() => process.exit(), (error: Error) => {
      console.error(error.message)
      process.exit(1)
    })
  })
  process.send?.(message)
}

/**
 * Fastify with the body and response schema of bare-fastify.ts: no authentication, no log.
 * @param take resolves when the order is durable; only then it is answered
 */
export async function serve (take: (order: Order) => Promise<unknown>, close: () => Promise<unknown>): Promise<void> {
  const app = Fastify()
  app.post<{ Body: Body }>('/orders', { schema: { body: OrderBody, response: { 202: OrderResponse } } }, async ({ body }, reply) => {
    const order = newOrder(body)
    await take(order)
    reply.code(202)
    return order
  })
  app.addHook('onClose', close)
  await app.listen({ host: '127.0.0.1', port: 0 })
  started({ port: (app.server.address() as AddressInfo).port }, () => app.close())
}
