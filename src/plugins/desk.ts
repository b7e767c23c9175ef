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

export const deskPlugin = fp(async (app) => {
  const { intake, views, claims, idempotencyKeys: keys } = app
  const mayBeHidden = (asked: boolean, since: number | null) =>
    app.broker !== null && (!asked || app.health.state('redis') !== 'up' || views === null || views.mayMiss(since))
  const orders: OrdersPort = {
    find: async (orderId, eventId) => await findOrder(app.standingPool(), orderId, eventId),
    list: async (filter) => await listOrders(app.standingPool(), filter),
    timeline: async (orderId, taken, page) => await listOrderEvents(app.standingPool(), orderId, taken, page)
  }
  const reader = new OrderReader({ views, orders, mayBeHidden })
  app.decorate('orderReader', reader)
  app.decorate('orderDesk', new OrderDesk({ intake, views, keys, newId }))
  app.decorate('orderChanges', new OrderChanges({ reader, intake, views, claims, newId }))
}, { name: 'desk', dependencies: ['config', 'postgres', 'redis', 'amqp', 'intake'] })
