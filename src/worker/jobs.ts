import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { logLine } from '../logs/log-line.js'
import { stepJob } from '../parking/job-step.js'
import type { ReplayTrust } from '../parking/parking-lot.js'
import { isTransient } from '../store/failures.js'
import type { Pool } from '../store/database.js'
import { backOff } from '../time/back-off.js'

/** Milliseconds. */
const IDLE_MS = 500
const RETRY = { first: 500, longest: 10_000 }

export interface JobsOptions {
  pool: Pool
  trust: ReplayTrust
  log: FastifyBaseLogger
  /** Resolves when the tables are there and Postgres answers, or when the signal says to wait no more. */
  storeIsUp (signal: AbortSignal): Promise<void>
}

/** Does what operators asked to be done with many things, beside the sources: a step at a time, whichever worker is free. */
export class Jobs {
  readonly #options: JobsOptions
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()

  constructor (options: JobsOptions) {
    this.#options = options
  }

  start (): void {
    this.#running = this.#run()
  }

  /** Resolves when the step under way is through. */
  async stop (): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run (): Promise<void> {
    const { signal } = this.#stopping
    for (let failures = 0; !signal.aborted;) {
      await this.#options.storeIsUp(signal)
      if (signal.aborted) return
      const pause = await this.#step().then((stepped) => {
        failures = 0
        return stepped ? 0 : IDLE_MS
      }, (error: unknown) => {
        if (failures === 0) logLine(this.#options.log, { event: 'job_retried', reason: isTransient(error) ? 'unavailable' : 'defect', err: error })
        return backOff(failures++, RETRY)
      })
      if (pause > 0) await wait(pause, undefined, { signal }).catch(() => {})
    }
  }

  async #step (): Promise<boolean> {
    const { pool, trust, log } = this.#options
    const job = await stepJob(pool, trust)
    if (job?.state === 'done') logLine(log, { event: 'job_done', job_id: job.job_id, kind: job.kind, done: job.done, failed: job.failed })
    return job !== null
  }
}
