import type { Decision, Outcome } from '../orders/chain.js'
import type { OrderEvent, OrderEventType } from '../orders/event.js'
import { causeOf } from '../orders/expiry.js'
import { type Order, orderJson } from '../orders/order.js'
import { type Client, plainArray, run } from './database.js'

/** Why an event was refused outside the chain: by these the parking lot may open it again, never what the chain decided. */
export const REFUSAL_REASONS = ['unknown_user', 'not_storable', 'attempts_exhausted', 'defect'] as const
export type RefusalReason = typeof REFUSAL_REASONS[number]

/** An event that must not be applied for a reason outside the chain: its values cannot be stored as an order, or this build fails over it. */
export interface Refusal { event: OrderEvent, outcome: 'rejected', reason: RefusalReason }

/** Held from the moment that positions are drawn to the commit; the trigger of migration 0009 takes the same. */
export const FEED_LOCK = 4026001

/**
 * Writes what became of each event, as the last thing before the commit. One that waited takes its new outcome; any other stays
 * as it was recorded. What is settled gets its position in the feed: under one lock, so that positions ascend in the order of the
 * commits, and a number that a rollback left out is never filled later.
 * @param decisions events of one order in the order of their versions: that is how they get their positions
 */
export async function recordEvents (client: Client, decisions: ReadonlyArray<Decision | Refusal>): Promise<void> {
  const column = <T>(read: (event: OrderEvent) => T) => decisions.map(({ event }) => read(event))
  const plain = (read: (event: OrderEvent) => string | number | null) => plainArray(column(read))
  const traced = decisions.some(({ event }) => event.traceparent !== undefined)
  // The lock is taken before the first position is drawn: no row of the join is there without it.
  await run(client, 'record_events', `
    with locked as materialized (select pg_advisory_xact_lock(${FEED_LOCK}))
    insert into order_events (event_id, order_id, version, base, type, data, request_id, outcome, reason, occurred_at, actor, user_id, traceparent, position)
    select given.*, case when given.outcome <> 'waiting' then nextval('order_events_position') end
    from locked, unnest($1::uuid[], $2::uuid[], $3::integer[], $4::uuid[], $5::text[], string_to_array($6, E'\n')::jsonb[], $7::text[], $8::text[], $9::text[], $10::timestamptz[], $11::text[], $12::integer[], $13::text[])
      as given (event_id, order_id, version, base, type, data, request_id, outcome, reason, occurred_at, actor, user_id, traceparent)
    on conflict (event_id) do update set outcome = excluded.outcome, reason = excluded.reason, recorded_at = now(), position = excluded.position
      where order_events.outcome = 'waiting'`, [
    plain((event) => event.event_id),
    plain((event) => event.order.order_id),
    plain((event) => event.order.version),
    plain((event) => event.base),
    plain((event) => event.type),
    column((event) => orderJson(event.order)).join('\n'), // JSON holds no raw newline
    column((event) => event.request_id),
    plainArray(decisions.map(({ outcome }) => outcome)),
    decisions.map(reasonOf),
    plain((event) => event.occurred_at),
    plain((event) => event.actor ?? null),
    plain((event) => event.order.user_id),
    traced ? column((event) => event.traceparent ?? null) : [] // `unnest` fills up what is missing by null
  ])
}

function reasonOf (decision: Decision | Refusal): string | null {
  if (decision.outcome === 'rejected') return decision.reason
  return decision.outcome === 'applied' ? causeOf(decision.event) : null
}

export interface Recorded {
  /** The outcome of every event asked for that was seen before, and of every base that is waited for. */
  outcomes: Map<string, Outcome>
  /** The events that wait for their base in these orders. */
  waiting: OrderEvent[]
}

/** What was recorded before: of these events (and the bases they name), and what waits in these orders (and on which bases). */
export async function recordedEvents (client: Client, eventIds: readonly string[], orderIds: readonly string[]): Promise<Recorded> {
  const rows = await run<EventRow>(client, 'recorded_events', `
    select event_id, type, base, data, occurred_at, request_id, actor, traceparent, outcome from order_events
      where event_id = any($1::uuid[] || array(select base from order_events where order_id = any($2::uuid[]) and outcome = 'waiting'))
    union
    select event_id, type, base, data, occurred_at, request_id, actor, traceparent, outcome from order_events
      where order_id = any($2::uuid[]) and outcome = 'waiting'`, [eventIds, orderIds])
  return {
    outcomes: new Map(rows.map((row) => [row.event_id, row.outcome])),
    waiting: rows.filter((row) => row.outcome === 'waiting').map(waitingEvent)
  }
}

/**
 * Orders that hold a waiting event whose base has been settled meanwhile: the base was booked by another worker at the same
 * time, so neither saw the other.
 */
export async function ordersToRevisit (client: Client, limit: number): Promise<string[]> {
  const rows = await run<{ order_id: string }>(client, 'orders_to_revisit', `
    select distinct waiting.order_id from order_events waiting
    join order_events base on base.event_id = waiting.base and base.outcome <> 'waiting'
    where waiting.outcome = 'waiting' limit $1`, [limit])
  return rows.map((row) => row.order_id)
}

/** Events that wait for their base, counted to 1000, and for how long the oldest of these; null where there are none. */
export async function waitingAge (client: Client): Promise<{ events: number, oldest_seconds: number | null }> {
  const [row] = await run<{ events: number, oldest_seconds: number | null }>(client, 'waiting_age', `
    select count(*)::integer as events, extract(epoch from clock_timestamp() - min(recorded_at))::float8 as oldest_seconds
    from (select recorded_at from order_events where outcome = 'waiting' limit 1000) as waiting`, [])
  return row!
}

interface EventRow {
  event_id: string
  type: OrderEventType
  base: string | null
  data: Order
  occurred_at: string
  request_id: string
  actor: string | null
  traceparent: string | null
  outcome: Outcome
}

function waitingEvent ({ data, outcome, actor, traceparent, ...row }: EventRow): OrderEvent {
  return { ...row, order: data, ...(actor === null ? {} : { actor }), ...(traceparent === null ? {} : { traceparent }) }
}

/** Ends an event that waits, without reading it; its order is locked before. @returns whether it waited */
export async function rejectWaiting (client: Client, eventId: string, reason: RefusalReason): Promise<boolean> {
  const rows = await run(client, 'reject_waiting', `
    with locked as materialized (select pg_advisory_xact_lock(${FEED_LOCK}))
    update order_events set outcome = 'rejected', reason = $2, recorded_at = now(), position = nextval('order_events_position')
    from locked where event_id = $1 and outcome = 'waiting' returning event_id`, [eventId, reason])
  return rows.length > 0
}

/** Lets refused events be decided anew when they come again: they leave the feed until then. */
export async function reopenRefused (client: Client, eventIds: readonly string[]): Promise<void> {
  await run(client, 'reopen_refused', `
    update order_events set outcome = 'waiting', reason = null, position = null, reopened = coalesce(reopened, 0) + 1
    where event_id = any($1::uuid[]) and outcome = 'rejected' and reason = any($2::text[])`, [eventIds, REFUSAL_REASONS])
}
