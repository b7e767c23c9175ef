import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import type { Cleanup } from '../../testkit/cleanup.js'
import { BIG_USER, fill, fillEvents, insertUsers, USERS } from './orders-table.js'

const POLL_MS = 500
const STANDSTILL_MS = 60_000

/** The bench's own look into the database under test. */
export class Tables {
  readonly client: pg.Client
  /** What was there before anybody placed an order. */
  #kept = { orders: 0, events: 0 }

  constructor (databaseUrl: string) {
    this.client = new pg.Client({ connectionString: databaseUrl, application_name: 'comanda bench' })
    this.client.on('error', () => {}) // the query under way reports it
  }

  async open (cleanup: Cleanup): Promise<void> {
    await this.client.connect()
    cleanup.add('connection to the tables', () => this.client.end())
  }

  /** Empties them, and lets nobody pay for another's dirty pages. */
  async empty (): Promise<void> {
    this.#kept = { orders: 0, events: 0 }
    await this.client.query('truncate orders, order_events, fallback_queue, parked_events, parked_actions, webhook_deliveries, webhooks')
    await this.client.query('checkpoint').catch(() => {}) // a given Postgres may not let us
  }

  /** Empties them and fills them with orders of a long life; the bench's own user has six in ten of them. */
  async fill (rows: number, { events = false } = {}): Promise<void> {
    await this.empty()
    const users = await this.#count('users')
    if (users < USERS) await insertUsers(this.client, USERS - users)
    await fill(this.client, rows)
    if (events) await fillEvents(this.client)
    await this.keep()
  }

  /** What is there now is not counted any more. */
  async keep (): Promise<void> {
    this.#kept = { orders: await this.#count('orders'), events: await this.#count('order_events') }
  }

  /**
   * Whether the promise was kept: every order accepted is booked, none twice, none parked.
   * @param bounds `least`: the orders answered 202; `most`: those sent
   */
  async expectOrders ({ least, most }: { least: number, most: number }): Promise<void> {
    const orders = await this.#count('orders') - this.#kept.orders
    const events = await this.#count('order_events') - this.#kept.events
    const [fallback, parked] = [await this.#count('fallback_queue'), await this.#count('parked_events')]
    if (orders >= least && orders <= most && events === orders && fallback === 0 && parked === 0) return
    throw new Error(`BROKEN PROMISE: ${least} accepted, ${most} sent; booked: ${orders} orders, ${events} events; left over: ${fallback} in the fallback queue, ${parked} parked`)
  }

  /** Resolves when at least so many orders are booked and no more come. @throws Error after a minute without a new one */
  async settle (least: number): Promise<void> {
    for (let seen = -1, since = Date.now(); ; await wait(POLL_MS)) {
      const now = await this.#count('orders') - this.#kept.orders
      if (now === seen && now >= least) return
      if (now > seen) [seen, since] = [now, Date.now()]
      else if (Date.now() - since > STANDSTILL_MS) throw new Error(`${seen} orders are booked of ${least}, and no more come`)
    }
  }

  /** Up to which position the exchange was told, and when that was so, milliseconds. */
  async told (): Promise<{ position: string, at: number }> {
    const { rows } = await this.client.query<{ position: string }>({ name: 'told', text: "select position from feed_cursors where name = 'exchange'" })
    return { position: rows[0]!.position, at: performance.now() }
  }

  /** When each event of the feed was committed, Unix milliseconds, by its id. null: this Postgres keeps no moments of commits */
  async commits (): Promise<Map<string, number> | null> {
    const { rows: [setting] } = await this.client.query<{ track_commit_timestamp: string }>('show track_commit_timestamp')
    if (setting!.track_commit_timestamp !== 'on') return null
    const { rows } = await this.client.query<{ event_id: string, ms: number }>('select event_id, extract(epoch from pg_xact_commit_timestamp(xmin))::float8 * 1000 as ms from order_events')
    return new Map(rows.map(({ event_id: id, ms }) => [id, ms]))
  }

  /** Events behind the first position, up to the second. */
  async eventsBetween (after: string, upTo: string): Promise<number> {
    return Number((await this.client.query<{ count: string }>('select count(*) from order_events where position > $1 and position <= $2', [after, upTo])).rows[0]!.count)
  }

  /** Events of the bench's own user. */
  async eventsOfBench (): Promise<number> {
    return Number((await this.client.query<{ count: string }>('select count(*) from order_events where user_id = $1', [BIG_USER])).rows[0]!.count)
  }

  async lastPosition (): Promise<string> {
    return (await this.client.query<{ last: string }>('select coalesce(max(position), 0) as last from order_events')).rows[0]!.last
  }

  async #count (table: string): Promise<number> {
    return Number((await this.client.query<{ count: string }>(`select count(*) from ${table}`)).rows[0]!.count)
  }
}
