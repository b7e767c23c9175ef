import fp from 'fastify-plugin'
import { depthOf } from '../broker/inspection.js'
import { ORDERS_QUEUE } from '../broker/topology.js'
import { findingsNow } from '../doctor/findings-now.js'
import { bookingDelay, highestPosition } from '../store/feed.js'
import { cursorStatus, type CursorName } from '../store/feed-cursors.js'
import { fallbackQueueAge } from '../store/fallback-queue.js'
import { countParked } from '../store/parked-events.js'
import { webhookStatus } from '../store/webhook-upkeep.js'
import { inTime } from '../time/in-time.js'
import { type OverviewFinding, OverviewReader } from '../usecases/overview.js'

declare module 'fastify' {
  interface FastifyInstance { overview: OverviewReader }
}

const SHARE_MS = 1000
/** A broker that is frozen looks well for a quarter of a minute. */
const QUEUE_MS = 1000
/** Rows that a look at the tables counts at most. */
const MOST_COUNTED = 100_000

/** How the service fares: what this process sees, and what the services know of all processes. */
export const overviewPlugin = fp(async (app) => {
  const { intake, health, broker, config, acceptedEvents: accepted } = app
  const taken = () => Object.values(intake.taken).reduce((sum, byType) => sum + Object.values(byType).reduce((all, one) => all + one, 0), 0)
  const told: CursorName[] = [...(broker === null ? [] : ['exchange'] as const), ...(config.webhooks === null ? [] : ['webhooks'] as const)]
  const ofTables = async <T>(look: () => Promise<T>): Promise<T | null> => health.state('postgres') === 'up' ? await look().catch(() => null) : null

  const ofQueue = async () => broker?.connection && health.state('rabbitmq') === 'up' ? await inTime(depthOf(broker.connection, ORDERS_QUEUE), QUEUE_MS).catch(() => null) : null
  const findings = async (orders: Awaited<ReturnType<typeof ofQueue>>) =>
    await findingsNow(health.state('postgres') === 'up' ? app.reservedPool : null, { services: health.report(), orders, told })

  app.decorate('overview', new OverviewReader(async () => {
    const pool = app.reservedPool
    await accepted?.tell(taken())
    const depth = await ofQueue()
    const [total, booked, delay, fallback, parked, cursors, webhooks, wrong] = await Promise.all([
      accepted?.total() ?? null,
      ofTables(async () => await highestPosition(pool)),
      ofTables(async () => await bookingDelay(pool)),
      ofTables(async () => await fallbackQueueAge(pool, MOST_COUNTED)),
      ofTables(async () => await countParked(pool, MOST_COUNTED)),
      ofTables(async () => await cursorStatus(pool)),
      config.webhooks === null ? null : ofTables(async () => await webhookStatus(pool)),
      findings(depth)
    ])
    return {
      accepted: total,
      booked,
      delay,
      queue: depth && { messages: depth.messages, workers: depth.consumers },
      fallback: fallback && { events: fallback.rows, oldest_seconds: fallback.oldest_seconds },
      parked,
      told: cursors?.filter(({ name }) => told.includes(name)).map(({ name, lag, lag_seconds, holder }) => ({ name, lag, lag_seconds, holder })) ?? null,
      webhooks: webhooks && { enabled: webhooks.enabled, failing: webhooks.failing, disabled: webhooks.disabled, due: webhooks.due, oldest_seconds: webhooks.oldest_seconds },
      services: health.report(),
      findings: wrong as OverviewFinding[]
    }
  }))

  if (accepted === null) return
  let timer: NodeJS.Timeout | undefined
  app.addHook('onReady', async () => { timer = setInterval(() => { if (health.state('redis') === 'up') void accepted.tell(taken()) }, SHARE_MS).unref() })
  app.addHook('onClose', async () => {
    clearInterval(timer)
    if (health.state('redis') === 'up') await accepted.tell(taken())
  })
}, { name: 'overview', dependencies: ['config', 'health', 'postgres', 'redis', 'amqp', 'intake'] })
