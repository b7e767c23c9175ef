import type { FeedEvent } from '../orders/feed-event.js'
import { type Client, run } from './database.js'

export interface FeedPage {
  events: FeedEvent[]
  /** The position of the last event of the whole feed, as of the same moment; 0 before the first. */
  end: number
}

/** Where to read: behind a position, so many rows, of all or of one user or order. */
export interface FeedWindow {
  after: number
  limit: number
  user_id?: number | undefined
  /** By it alone, whatever `user_id` says. */
  order_id?: string | undefined
}

const COLUMNS = 'position, event_id, type, version, base, data, outcome, reason, actor, traceparent, recorded_at, coalesce(reopened, 0) as reopened'

/** One order has few events, indexed by their outcomes. */
const OF_ORDER = `
  (select ${COLUMNS} from order_events where order_id = $3 and outcome = 'applied' and position > $1
  union all select ${COLUMNS} from order_events where order_id = $3 and outcome <> 'applied' and position > $1)`
const OF_USER = `(select ${COLUMNS} from order_events where position > $1 and user_id = (select $3::integer) order by position limit $2)`
const OF_ALL = `(select ${COLUMNS} from order_events where position > $1 order by position limit $2)`

/** Settled events in the order of their commits, and where the feed ends: what was not found up to there will never come. */
export async function readFeed (client: Client, { after, limit, user_id, order_id }: FeedWindow): Promise<FeedPage> {
  const [name, source, ...whose] = order_id !== undefined ? ['order', OF_ORDER, order_id] : user_id !== undefined ? ['user', OF_USER, user_id] : ['all', OF_ALL]
  const rows = await run<FeedEvent & { feed_end: number }>(client, `read_feed_of_${name}`, `
    select feed_end, event.* from (select coalesce(max(position), 0) as feed_end from order_events) as feed
    left join lateral ${source} as event on true
    order by position limit $2`, [after, limit, ...whose])
  const end = rows[0]!.feed_end
  return { events: rows[0]!.event_id === null ? [] : rows, end }
}

/** The next events of all, for those who need not know where the feed ends. */
export async function readFeedOn (client: Client, after: number, limit: number): Promise<FeedEvent[]> {
  return await run<FeedEvent>(client, 'read_feed_on', OF_ALL, [after, limit])
}

/** From acceptance (the api's clock) to booking (that of Postgres), seconds, of the last 200 events settled in the last ten seconds; null: there were none. */
export async function bookingDelay (client: Client): Promise<{ p50: number, p99: number } | null> {
  const [row] = await run<{ delays: [number, number] | null }>(client, 'booking_delay', `
    select percentile_cont(array[0.5, 0.99]) within group (order by extract(epoch from recorded_at - occurred_at)::float8) as delays
    from (select recorded_at, occurred_at from order_events where position is not null order by position desc limit 200) as last
    where recorded_at > clock_timestamp() - interval '10 seconds'`, [])
  const delays = row?.delays
  return delays ? { p50: delays[0], p99: delays[1] } : null
}

/** The highest position ever drawn: beyond it there is none to be behind. */
export async function highestPosition (client: Client): Promise<number> {
  const [row] = await run<{ highest: number }>(client, 'highest_position', `
    select case when is_called then last_value else 0 end as highest from order_events_position`, [])
  return row!.highest
}
