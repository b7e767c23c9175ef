import type { Comanda } from '../setup/comanda.js'
import type { Tables } from '../setup/tables.js'
import { cpuEach } from './proc.js'
import { Workers } from './workers.js'

export interface Drain {
  orders: number
  batches: number
  by_fallback: number
  /** From the begin of the first batch to the end of the last, commit and views included. */
  seconds: number
  /** orders / seconds */
  rate: number
  /** From the start of the processes: Node's own start, its imports and connections included. */
  rate_from_start: number
  worker_mib: number | null
  /** The workers' processor time for each order, their own start included, microseconds. */
  cpu_us: number | null
  /** Orders booked in each whole second. */
  per_second: number[]
}

/**
 * Starts workers on a backlog and waits until it is booked.
 * @param orders the number of orders in the queue
 * @throws Error when one is missing or too many, or when it stands still
 */
export async function drain (comanda: Comanda, tables: Tables, orders: number, count = 1): Promise<Drain> {
  const started = Date.now()
  const workers = await Workers.start(comanda, { count, ready: false })
  await workers.booked(orders)
  const { batches, byFallback, began, ended, mib, cpu, perSecond } = workers
  await workers.stop()
  await tables.expectOrders({ least: orders, most: orders })
  const [seconds, fromStart] = [(ended - began) / 1000, (ended - started) / 1000]
  return {
    orders,
    batches,
    by_fallback: byFallback,
    seconds,
    rate: orders / seconds,
    rate_from_start: orders / fromStart,
    worker_mib: mib,
    cpu_us: cpuEach(0, cpu, orders),
    per_second: perSecond
  }
}
