import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import type { Cleanup } from '../../testkit/cleanup.js'

const POLL_MS = 100

/** The orders that are rows by now, whoever booked them. */
export class BookedRows {
  readonly #client: pg.Client

  constructor (databaseUrl: string) {
    this.#client = new pg.Client({ connectionString: databaseUrl, application_name: 'comanda bench' })
    this.#client.on('error', () => {}) // the query under way reports it
  }

  async open (cleanup: Cleanup): Promise<void> {
    await this.#client.connect()
    cleanup.add('connection to the rows', () => this.#client.end())
  }

  async count (): Promise<number> {
    return Number((await this.#client.query<{ count: string }>('select count(*) from orders')).rows[0]!.count)
  }

  /** Nobody pays for another's dirty pages. */
  async checkpoint (): Promise<void> {
    await this.#client.query('checkpoint').catch(() => {}) // a given Postgres may not let us
  }

  /** Waits until there are at least so many, not longer than the limit. @returns how many there are, and the seconds it took */
  async reach (least: number, limitSeconds: number): Promise<{ rows: number, seconds: number }> {
    const started = performance.now()
    for (;;) {
      const rows = await this.count()
      const seconds = (performance.now() - started) / 1000
      if (rows >= least || seconds >= limitSeconds) return { rows, seconds }
      await wait(POLL_MS)
    }
  }
}
