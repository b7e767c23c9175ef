/** One job a request, in a Redis that syncs every write to disk before it answers; the worker inserts job by job. */
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { insertOrder, openPool, type Order } from './order.js'
import { role, serve, started } from './process.js'

const QUEUE = 'orders'

const connection = new Redis(process.env.REDIS_URL!, { maxRetriesPerRequest: null })

async function api (): Promise<void> {
  const queue = new Queue<Order>(QUEUE, { connection, defaultJobOptions: { removeOnComplete: true, attempts: 10 } })
  await queue.waitUntilReady()
  await serve((order) => queue.add('order.placed', order), async () => {
    await queue.close()
    await connection.quit()
  })
}

async function worker (): Promise<void> {
  const pool = openPool()
  const worker = new Worker<Order>(QUEUE, ({ data }) => insertOrder(pool, data), { connection, concurrency: 100 })
  worker.on('error', (error) => console.error(error.message))
  await worker.waitUntilReady()
  started({ ready: true }, async () => {
    await worker.close()
    await connection.quit()
    await pool.end()
  })
}

await (role === 'api' ? api() : worker())
