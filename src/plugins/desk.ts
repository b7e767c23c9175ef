import fp from 'fastify-plugin'
import { OrderChanges } from '../desk/order-changes.js'
import { OrderDesk } from '../desk/order-desk.js'
import { OrderReader } from '../desk/order-reader.js'
import type { OrdersPort } from '../desk/ports.js'
import { findOrder, listOrders } from '../store/orders.js'
import { listOrderEvents } from '../store/timeline.js'
import { newId } from './ids.js'

declare module 'fastify' {
  interface FastifyInstance {
    orderDesk: OrderDesk
    orderReader: OrderReader
    orderChanges: OrderChanges
  }
}

/** For this long after Redis came back, perhaps empty, a missing view still says nothing. Milliseconds. */
const REDIS_JUST_BACK_MS = 5000
/** Redis that comes up this soon after the process did not come back: it was there. */
const START_MS = 2000

export const deskPlugin = fp(async (app) => {
  const { pool } = app.pg
  const started = Date.now()
  const redisIsNew = () => {
    const standing = app.health.standing('redis')
    return standing < REDIS_JUST_BACK_MS && Date.now() - standing > started + START_MS
  }
  const mayBeHidden = () => app.broker !== null && (app.health.state('redis') !== 'up' || redisIsNew())
  const { intake, views, claims, idempotencyKeys: keys } = app
  const orders: OrdersPort = {
    find: async (orderId, eventId) => await findOrder(pool, orderId, eventId),
    list: async (filter) => await listOrders(pool, filter),
    timeline: async (orderId, taken, page) => await listOrderEvents(pool, orderId, taken, page)
  }
  const reader = new OrderReader({ views, orders, mayBeHidden })
  app.decorate('orderReader', reader)
  app.decorate('orderDesk', new OrderDesk({ intake, views, keys, newId }))
  app.decorate('orderChanges', new OrderChanges({ reader, intake, views, claims, newId, mayBeHidden }))
}, { name: 'desk', dependencies: ['config', 'postgres', 'redis', 'amqp', 'intake'] })
