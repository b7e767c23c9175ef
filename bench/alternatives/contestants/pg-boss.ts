/** One job a request, a row in Postgres; the worker takes them in batches and inserts a batch at once. */
import PgBoss from 'pg-boss'
import { insertOrders, openPool, type Order } from './order.js'
import { role, serve, started } from './process.js'

const QUEUE = 'orders'

const boss = new PgBoss({ connectionString: process.env.DATABASE_URL!, max: 10 })
boss.on('error', (error) => console.error(error.message))
await boss.start()

async function api (): Promise<void> {
  await boss.createQueue(QUEUE)
  await serve((order) => boss.send(QUEUE, order), () => boss.stop())
}

async function worker (): Promise<void> {
  const pool = openPool()
  await boss.work<Order>(QUEUE, { batchSize: 1000, pollingIntervalSeconds: 0.5 }, (jobs) => insertOrders(pool, jobs.map(({ data }) => data)))
  started({ ready: true }, async () => {
    await boss.stop()
    await pool.end()
  })
}

await (role === 'api' ? api() : worker())
