import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { OrderQuota, type Quota } from '../usecases/order-quota.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** So many orders of this user's allowance, all or nothing, in place of those that this request was granted before. null: there is no bound */
    takeOrders: ((request: FastifyRequest, orders: number, granted?: number) => Quota) | null
  }
}

/** How long what one process counts may be unknown to the others. */
const SHARE_MS = 1000

/** ORDERS_PER_MINUTE for each user, counted here and shared in the background while there is something to share. */
export const orderQuotaPlugin = fp(async (app) => {
  const { config: { ordersPerMinute: perMinute }, orderUse: shared } = app
  const counts = { refused: 0 }
  app.metrics?.counter('comanda_orders_refused_by_quota_total', 'Orders refused because their user had placed ORDERS_PER_MINUTE', () => [{ value: counts.refused }])
  if (perMinute === 0) {
    app.decorate('takeOrders', null)
    return
  }
  const quota = new OrderQuota({ perMinute, shared, now: () => performance.now() })
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const later = () => { timer = setTimeout(() => { void share() }, SHARE_MS).unref() }
  const share = async () => {
    await quota.share()
    timer = undefined
    if (!quota.idle && !closed) later()
  }
  app.decorate('takeOrders', (request: FastifyRequest, orders: number, granted = 0) => {
    const { user_id } = app.callerOf(request)
    quota.giveBack(user_id, granted)
    const taken = quota.take(user_id, orders)
    if (!taken.granted) counts.refused += orders
    if (!timer) later()
    return taken
  })
  app.addHook('onClose', async () => {
    closed = true
    clearTimeout(timer)
  })
}, { name: 'order-quota', dependencies: ['config', 'metrics', 'redis', 'auth'] })
