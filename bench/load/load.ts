import type { ChildProcess } from 'node:child_process'
import type { Cleanup } from '../../testkit/cleanup.js'
import type { Latency } from '../figures.js'
import { forkScript, nextMessage } from '../script.js'

export interface LoadJob {
  url: string
  connections: number
  /** null: no Authorization header */
  token: string | null
  seconds: number
  /** Requests to make instead of a time to last. */
  amount?: number
  /** Orders in one request, posted as an array; one order by itself where this is missing. */
  batch?: number
  /** Paths to read in turn, instead of placing. */
  read?: readonly string[]
}

export interface LoadResult {
  /** Answered 2xx. */
  accepted: number
  /** More than were answered: a timed load cuts off what is in flight at its end. */
  sent: number
  /** How many answers of each status that is not 2xx. */
  refused: Record<string, number>
  errors: number
  seconds: number
  /** accepted / seconds */
  rate: number
  latency_ms: Latency
  /** Answers in each whole second. */
  per_second: number[]
  /** Cores that the load process itself used: near 1 it was the load that could not go faster. */
  load_cpu: number
}

export class Load {
  readonly #process: ChildProcess

  constructor (cleanup: Cleanup) {
    this.#process = forkScript('load/load-process.ts', cleanup)
  }

  get pid (): number {
    return this.#process.pid!
  }

  /** @throws Error when a single request was not answered 2xx: a figure with refusals in it says nothing */
  async run (job: LoadJob): Promise<LoadResult> {
    this.#process.send(job)
    const { result, error } = await nextMessage<{ result?: LoadResult, error?: string }>(this.#process)
    if (!result) throw new Error(`no load on ${job.url}: ${error}`)
    const refused = Object.entries(result.refused).map(([status, count]) => `${count} answers ${status}`)
    if (result.errors > 0) refused.push(`${result.errors} errors and time-outs`)
    if (refused.length > 0) throw new Error(`${job.url}: of ${result.sent} requests ${result.accepted} were accepted; ${refused.join(', ')}`)
    return result
  }
}
