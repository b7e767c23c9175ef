import { setTimeout as wait } from 'node:timers/promises'
import { BookedBatches } from './booked-batches.js'
import type { Comanda } from './comanda.js'
import { cpuEach, cpuTime, peakMemory } from './proc.js'
import type { Tables } from './tables.js'

export interface Drain {
  orders: number
  batches: number
  by_outbox: number
  /** From the begin of the first batch to the end of the last, commit and views included. */
  seconds: number
  /** orders / seconds */
  rate: number
  /** From the start of the process: Node's own start, its imports and connections included. */
  seconds_from_start: number
  rate_from_start: number
  worker_mib: number | null
  /** The worker's processor time for each order, its own start included, microseconds. */
  cpu_us: number | null
}

const SLOWEST_RATE = 1000

/**
 * Starts a worker on a backlog and waits until it is booked.
 * @param orders the number of orders in the queue
 * @throws Error when one is missing or too many, or after a time that only a standstill can take
 */
export async function drain (comanda: Comanda, tables: Tables, orders: number): Promise<Drain> {
  const started = Date.now()
  const { worker } = await comanda.startWorker()
  const booked = new BookedBatches(worker.log)
  const deadline = started + 30_000 + orders / SLOWEST_RATE * 1000
  while (booked.applied < orders) {
    if (Date.now() > deadline || worker.gone) throw worker.failure(`booked ${booked.applied} of ${orders} orders`)
    await wait(50)
    booked.read()
  }
  booked.close()
  const workerMib = peakMemory(worker.pid)
  const cpu = cpuEach(0, cpuTime(worker.pid), orders)
  await worker.stop()
  await tables.expectOrders({ least: orders, most: orders })
  const [seconds, fromStart] = [(booked.ended - booked.began) / 1000, (booked.ended - started) / 1000]
  return {
    orders,
    batches: booked.batches,
    by_outbox: booked.byOutbox,
    seconds,
    rate: orders / seconds,
    seconds_from_start: fromStart,
    rate_from_start: orders / fromStart,
    worker_mib: workerMib,
    cpu_us: cpu
  }
}
