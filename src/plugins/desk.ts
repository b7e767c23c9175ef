import fp from 'fastify-plugin'
import { OrderDesk } from '../desk/order-desk.js'
import { UserDesk } from '../desk/user-desk.js'
import type { OrderFilter } from '../orders/page.js'
import { findOrder, listOrders } from '../store/orders.js'
import { findCredentials, insertUser } from '../store/users.js'
import type { Registration } from '../users/user.js'
import { newId } from './ids.js'

declare module 'fastify' {
  interface FastifyInstance {
    orderDesk: OrderDesk
    userDesk: UserDesk
  }
}

/** For this long after Redis came back, perhaps empty, a missing view still says nothing. Milliseconds. */
const REDIS_JUST_BACK_MS = 5000

export const deskPlugin = fp(async (app) => {
  const { pool } = app.pg
  const started = Date.now()
  const redisIsNew = () => app.health.standing('redis') < REDIS_JUST_BACK_MS && Date.now() - started > REDIS_JUST_BACK_MS
  app.decorate('orderDesk', new OrderDesk({
    intake: app.intake,
    views: app.views,
    orders: {
      find: async (orderId: string) => await findOrder(pool, orderId),
      list: async (filter: OrderFilter) => await listOrders(pool, filter)
    },
    newId,
    mayBeHidden: () => app.broker !== null && (app.health.state('redis') !== 'up' || redisIsNew())
  }))
  app.decorate('userDesk', new UserDesk({
    insert: async (person: Registration) => await insertUser(pool, person),
    credentials: async (nickName: string) => await findCredentials(pool, nickName)
  }, app.passwords))
}, { name: 'desk', dependencies: ['config', 'postgres', 'redis', 'amqp', 'intake', 'passwords'] })
