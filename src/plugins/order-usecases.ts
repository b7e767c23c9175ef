import fp from 'fastify-plugin'
import { newId } from '../ids.js'
import { recordAction } from '../store/actions.js'
import { findOrder, listOrders } from '../store/orders.js'
import { listOrderEvents } from '../store/timeline.js'
import { OrderChanges } from '../usecases/order-changes.js'
import { OrderPlacement } from '../usecases/order-placement.js'
import { OrderReader } from '../usecases/order-reader.js'
import type { ActionsPort, OrdersPort } from '../usecases/ports.js'

declare module 'fastify' {
  interface FastifyInstance {
    orderPlacement: OrderPlacement
    orderReader: OrderReader
    orderChanges: OrderChanges
  }
}

export const orderUseCasesPlugin = fp(async (app) => {
  const { intake, views, changeLocks, idempotencyKeys: keys } = app
  const mayBeHidden = (asked: boolean, since: number | null) =>
    app.broker !== null && (!asked || app.health.state('redis') !== 'up' || views === null || views.mayMiss(since))
  const orders: OrdersPort = {
    find: async (orderId, eventId) => await findOrder(app.requestPool(), orderId, eventId),
    list: async (filter) => await listOrders(app.requestPool(), filter),
    timeline: async (orderId, taken, page) => await listOrderEvents(app.requestPool(), orderId, taken, page)
  }
  const actions: ActionsPort = { record: async (action) => await recordAction(app.requestPool(), action) }
  const reader = new OrderReader({ views, orders, actions, mayBeHidden })
  app.decorate('orderReader', reader)
  app.decorate('orderPlacement', new OrderPlacement({ intake, views, keys, newId }))
  app.decorate('orderChanges', new OrderChanges({ reader, intake, views, changeLocks, newId }))
}, { name: 'order-usecases', dependencies: ['health', 'postgres', 'redis', 'amqp', 'intake'] })
