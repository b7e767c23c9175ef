import type { FastifyBaseLogger } from 'fastify'
import { logLine } from '../logs/log-line.js'
import { type Client, inStatement, inTransaction, type Pool } from '../store/database.js'
import type { TracedEvent, Traces } from '../tracing/traces.js'
import type { Applied } from './batch.js'

/** What a batch's line says beside what it came to. */
export interface BatchLine {
  source: 'queue' | 'fallback' | 'waiting'
  batch_size?: number
  /** Of rows that are tried again. */
  attempt?: number
}

/** A part of the worker that has to know what was committed. */
export interface Follower {
  /**
   * @param line what the batch's log line says besides; null: nothing was booked, only parked
   * @param ms how long the transaction took, milliseconds
   */
  onCommitted (applied: Applied, line: BatchLine | null, ms: number): Promise<void> | void
}

export interface CommitsOptions {
  pool: Pool
  /** In this order. */
  followers: readonly Follower[]
  log: FastifyBaseLogger
  /** null: traces are off */
  traces: Traces | null
}

/** Runs the worker's transactions; after each commit its followers learn of it. */
export class Commits {
  readonly #options: CommitsOptions

  constructor (options: CommitsOptions) {
    this.#options = options
  }

  /** Runs one batch's work to its commit. @param events whose traces it belongs to @throws StoreError; a defect as it is: nothing is committed */
  async run (work: (client: Client) => Promise<Applied | null>, line: BatchLine, events: readonly TracedEvent[] = []): Promise<void> {
    await this.#traced(async () => await inTransaction(this.#options.pool, work), line, events)
  }

  /** The same for work that is one statement. */
  async runStatement (work: (client: Client) => Promise<Applied | null>, line: BatchLine, events: readonly TracedEvent[]): Promise<void> {
    await this.#traced(async () => await inStatement(this.#options.pool, work), line, events)
  }

  async #traced (commit: () => Promise<Applied | null>, line: BatchLine, events: readonly TracedEvent[]): Promise<void> {
    const { traces } = this.#options
    if (traces === null || events.length === 0) await this.#run(commit, line)
    else await traces.batch(line.source, events, async () => await this.#run(commit, line))
  }

  async #run (commit: () => Promise<Applied | null>, line: BatchLine): Promise<void> {
    const started = performance.now()
    const applied = await commit()
    if (applied) await this.inform(applied, line, performance.now() - started)
  }

  /** Never throws: what is committed must not be taken for what failed. */
  async inform (applied: Applied, line: BatchLine | null, ms: number): Promise<void> {
    for (const follower of this.#options.followers) {
      try {
        await follower.onCommitted(applied, line, ms)
      } catch (err) {
        logLine(this.#options.log, { event: 'after_commit_failed', source: line?.source ?? 'queue', reason: 'defect', err })
      }
    }
  }
}
