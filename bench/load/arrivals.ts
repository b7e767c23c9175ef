import type { Cleanup } from '../../testkit/cleanup.js'
import type { Latency } from '../figures.js'
import { forkScript, nextMessage } from '../script.js'

export interface ArrivalsJob {
  url: string
  token: string
  databaseUrl: string
  /** Orders a second, evenly. */
  rate: number
  seconds: number
}

/** All counted from when each order was due, but for `to_row_ms`; none is left out. */
export interface Arrivals {
  orders: number
  /** From when it was due to its 202. */
  answer_ms: Latency
  /** From its 202 until a look saw its row. */
  to_row_ms: Latency
  /** From when it was due until a look saw its row. */
  whole_way_ms: Latency
  /** Between one look and the next: no row was seen later than this after it was there. */
  resolution_ms: Latency
  /** Cores that the asking process itself used. */
  asking_cpu: number
}

/** @throws Error when one order is not answered 202, or its row does not come */
export async function runArrivals (job: ArrivalsJob, cleanup: Cleanup): Promise<Arrivals> {
  const child = forkScript('load/arrivals-process.ts', cleanup)
  try {
    child.send(job)
    const { result, error } = await nextMessage<{ result?: Arrivals, error?: string }>(child)
    if (!result) throw new Error(`orders by schedule: ${error}`)
    return result
  } finally {
    child.kill('SIGKILL')
  }
}
