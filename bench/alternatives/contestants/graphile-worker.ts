/** One job a request, a row in Postgres; the worker with the batching options that its documentation gives for speed. */
import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import { insertOrder, openPool, type Order } from './order.js'
import { role, serve, started } from './process.js'

const connectionString = process.env.DATABASE_URL!
const logger = new Logger(() => (level, message) => {
  if (level === 'error') console.error(message)
})

async function api (): Promise<void> {
  const utils = await makeWorkerUtils({ preset: { worker: { connectionString, maxPoolSize: 10, logger } } })
  await utils.migrate()
  await serve((order) => utils.addJob('order_placed', order), async () => await utils.release())
}

async function worker (): Promise<void> {
  const pool = openPool()
  const batching = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
  const runner = await run({
    preset: { worker: { connectionString, concurrentJobs: 24, maxPoolSize: 25, logger, ...batching } },
    noHandleSignals: true,
    taskList: { order_placed: (order) => insertOrder(pool, order as Order) }
  })
  started({ ready: true }, async () => {
    await runner.stop()
    await pool.end()
  })
}

await (role === 'api' ? api() : worker())
