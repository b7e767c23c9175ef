import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import type { Endings } from './endings.js'

const SETTLED_POLLS = 4
const POLL_MS = 200

/** The bench's own look into the database under test. */
export class Tables {
  readonly client: pg.Client

  constructor (databaseUrl: string) {
    this.client = new pg.Client({ connectionString: databaseUrl, application_name: 'comanda bench' })
    this.client.on('error', () => {}) // the query under way reports it
  }

  async open (endings: Endings): Promise<void> {
    await this.client.connect()
    endings.add('connection to the tables', () => this.client.end())
  }

  /** Empties them, and lets nobody pay for another's dirty pages. */
  async empty (): Promise<void> {
    await this.client.query('truncate orders, order_events, outbox, parked_events, parked_deeds')
    await this.client.query('checkpoint').catch(() => {}) // a given Postgres may not let us
  }

  /** Resolves when at least so many orders are booked and no more come. @throws Error after a minute without a new one */
  async settle (least: number): Promise<void> {
    let [before, same] = [-1, 0]
    while (before < least || same < SETTLED_POLLS) {
      await wait(POLL_MS)
      const now = await this.#count('orders')
      same = now === before ? same + 1 : 0
      before = now
      if (same * POLL_MS > 60_000) throw new Error(`${now} orders are booked of the ${least} accepted, and no more come`)
    }
  }

  /**
   * Whether the promise was kept: every order accepted is booked, none twice, none parked.
   * @param bounds `least`: the orders answered 202; `most`: the requests sent
   */
  async expectOrders ({ least, most }: { least: number, most: number }): Promise<void> {
    const [orders, events, outbox, parked] = [await this.#count('orders'), await this.#count('order_events'), await this.#count('outbox'), await this.#count('parked_events')]
    if (orders >= least && orders <= most && events === orders && outbox === 0 && parked === 0) return
    throw new Error(`BROKEN PROMISE: ${least} accepted, ${most} sent; booked: ${orders} orders, ${events} events; left over: ${outbox} in the outbox, ${parked} parked`)
  }

  async #count (table: string): Promise<number> {
    return Number((await this.client.query<{ count: string }>(`select count(*) from ${table}`)).rows[0]!.count)
  }
}
