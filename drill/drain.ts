import { setTimeout as wait } from 'node:timers/promises'
import type { Environment } from './environment.js'
import { QueueGauge, totalMessages } from './queues.js'
import { TableGauge } from './tables.js'

/** One sample a second; null: it could not be asked. */
export interface Sample {
  at: number
  ready: number | null
  fallback: number | null
  waiting: number | null
}

export interface Drained {
  /** Milliseconds until nothing was left. */
  took: number
  /** What was left at the limit; '' when nothing was. */
  left: string
}

const SAMPLE_MS = 1000
const POLL_MS = 250
/** What is nowhere has to be nowhere twice: between queue and tables an event is in neither of two counts. */
const AGAIN_MS = 1000

/** Looks at queue and tables, past the proxies. */
export class Gauges {
  readonly #environment: Environment
  readonly #queue: QueueGauge
  readonly #tables: TableGauge
  readonly samples: Sample[] = []
  readonly #stopping = new AbortController()
  #sampling: Promise<void> = Promise.resolve()

  constructor (environment: Environment) {
    this.#environment = environment
    this.#queue = new QueueGauge(environment.services.broker)
    this.#tables = new TableGauge(environment.services.postgres)
  }

  start (): void {
    this.#sampling = this.#sample()
  }

  async close (): Promise<void> {
    this.#stopping.abort()
    await this.#sampling
    await Promise.all([this.#queue.close(), this.#tables.close()])
  }

  /** Resolves when nothing accepted is still on its way, or when the limit (milliseconds) has passed. */
  async drain (limitMs: number): Promise<Drained> {
    const started = performance.now()
    const took = () => performance.now() - started
    for (let left = 'not looked yet'; ; await wait(POLL_MS)) {
      if (took() > limitMs) return { took: took(), left }
      left = await this.#left()
      if (left !== '') continue
      await wait(AGAIN_MS)
      left = await this.#left()
      if (left === '') return { took: took(), left }
    }
  }

  async #left (): Promise<string> {
    const [ready, depths] = await Promise.all([this.#queue.ready(), this.#tables.depths()])
    if (ready === null || depths === null) return 'queue or tables cannot be asked'
    if (ready + depths.fallback + depths.waiting > 0) return `${ready} messages ready, ${depths.fallback} rows in the fallback queue, ${depths.waiting} events waiting`
    const total = await totalMessages(this.#environment.services.broker).catch((error: Error) => error.message)
    return total === 0 ? '' : typeof total === 'string' ? total : `${total} messages in the queues`
  }

  async #sample (): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const at = performance.timeOrigin + performance.now()
      const [ready, depths] = await Promise.all([limited(this.#queue.ready()), limited(this.#tables.depths())])
      this.samples.push({ at, ready, fallback: depths?.fallback ?? null, waiting: depths?.waiting ?? null })
      await wait(SAMPLE_MS, undefined, { signal }).catch(() => {})
    }
  }
}

/** A silent service must not hold up the samples. */
async function limited<T> (asked: Promise<T | null>): Promise<T | null> {
  return await Promise.race([asked, wait(SAMPLE_MS, null, { ref: false })])
}
