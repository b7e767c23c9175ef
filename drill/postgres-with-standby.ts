import { startPostgresPair, type PostgresPair } from '../local/postgres-pair.js'
import type { PostgresStart } from '../local/postgres.js'
import type { Running } from '../local/service.js'
import { administer } from '../testkit/databases.js'
import type { DrillService } from './own-service.js'

/** A primary and its synchronous standby, as one service: it is where the leading one is. */
export class PostgresWithStandby implements DrillService {
  readonly name = 'postgres'
  readonly #options: PostgresStart
  #pair: PostgresPair | null = null
  #leading: Running | null = null

  constructor (options: PostgresStart) {
    this.#options = options
  }

  get running (): Running {
    if (this.#leading === null) throw new Error('postgres is not running')
    return this.#leading
  }

  get url (): string {
    return this.running.url
  }

  /** Of both, the one that leads first. */
  get urls (): string[] {
    return [this.#pair!.primary.url, this.#pair!.standby.url]
  }

  async start (): Promise<void> {
    this.#pair = await startPostgresPair(this.#options)
    this.#leading = this.#pair.primary
  }

  /** The primary is killed and stays away; the standby leads from now on. */
  async failOver (): Promise<void> {
    const { primary, standby } = this.#pair!
    if (this.#leading === standby) throw new Error('there is no second standby')
    await primary.kill('SIGKILL')
    await administer(standby.url, 'select pg_promote()')
    this.#leading = standby
  }

  async kill (signal: NodeJS.Signals): Promise<void> {
    await this.running.kill(signal)
  }

  async stop (): Promise<void> {
    await this.#pair?.stop()
  }
}
