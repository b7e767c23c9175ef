import type { FeedEvent } from '../orders/feed-event.js'
import type { Attempt, Delivery, DeliveryState, DisabledReason } from '../webhooks/endpoint.js'
import { type Client, plainArray, run } from './database.js'
import type { SealedSecret } from './webhooks.js'

/** An event of the feed, as deliveries of it are made. */
export interface Told {
  event_id: string
  verdict: number
  message_id: string
  order_id: string
  user_id: number
  position: number
  type: string
}

const TOLD = 'unnest($1::uuid[], $2::integer[], $3::text[], $4::uuid[], $5::integer[], $6::bigint[], $7::text[]) as told (event_id, verdict, message_id, order_id, user_id, position, type)'

function columnsOf (told: readonly Told[]): string[] {
  const column = (name: keyof Told) => plainArray(told.map((event) => event[name]))
  return (['event_id', 'verdict', 'message_id', 'order_id', 'user_id', 'position', 'type'] as const).map(column)
}

/** Not of one that has been disabled for so long: its owner replays, once it is enabled again. */
const LISTENS = "(state = 'enabled' or state = 'disabled' and disabled_at > now() - $8 * interval '1 ms') and (types is null or told.type = any(types)) and told.position > told_after"

/** One delivery an event and endpoint, however often it is asked for. Operators are told of all, others of their own orders. */
export async function insertDeliveries (client: Client, told: readonly Told[], { waitingMs }: { waitingMs: number }): Promise<void> {
  await run(client, 'insert_deliveries', `
    insert into webhook_deliveries (webhook_id, message_id, event_id, verdict, order_id, position, type)
    select webhook_id, message_id, event_id, verdict, order_id, position, type from (
      select webhooks.webhook_id, told.* from ${TOLD} join webhooks on ${LISTENS} join users on users.user_id = webhooks.user_id and role = 'operator'
      union
      select webhooks.webhook_id, told.* from ${TOLD} join webhooks on webhooks.user_id = told.user_id and ${LISTENS}
    ) as wanted
    order by position on conflict do nothing`, [...columnsOf(told), waitingMs])
}

/** The same for one endpoint that asked for it, those that are settled once more. */
export async function insertReplayed (client: Client, webhookId: string, told: readonly Told[]): Promise<void> {
  await run(client, 'insert_replayed', `
    insert into webhook_deliveries (webhook_id, message_id, event_id, verdict, order_id, position, type)
    select webhook_id, message_id, event_id, verdict, order_id, position, type from ${TOLD} join webhooks on webhook_id = $8 and (types is null or told.type = any(types))
    order by position
    on conflict (webhook_id, message_id) do update set ${DUE_AGAIN} where webhook_deliveries.state <> 'due'`, [...columnsOf(told), webhookId])
}

const DUE_AGAIN = "state = 'due', tries = 0, next_attempt_at = clock_timestamp(), settled_at = null"

/** @returns null: there is none such */
export async function replayDelivery (client: Client, webhookId: string, deliveryId: number): Promise<Delivery | null> {
  await run(client, 'replay_delivery', `update webhook_deliveries set ${DUE_AGAIN} where webhook_id = $1 and delivery_id = $2 and state <> 'due'`, [webhookId, deliveryId])
  return await findDelivery(client, webhookId, deliveryId)
}

/** A test call. */
export async function insertPing (client: Client, webhookId: string, messageId: string, type: string): Promise<Delivery> {
  const rows = await run<Delivery>(client, 'insert_ping', `
    insert into webhook_deliveries (webhook_id, message_id, type) values ($1, $2, $3) returning ${SHOWN}`, [webhookId, messageId, type])
  return rows[0]!
}

const SHOWN = 'delivery_id, webhook_id, message_id, type, position, state, attempts, next_attempt_at, missing_key, created_at, settled_at'

export async function findDelivery (client: Client, webhookId: string, deliveryId: number): Promise<Delivery | null> {
  return (await run<Delivery>(client, 'find_delivery', `select ${SHOWN} from webhook_deliveries where webhook_id = $1 and delivery_id = $2`, [webhookId, deliveryId]))[0] ?? null
}

/** Newest first. */
export async function listDeliveries (client: Client, { webhook_id, state, before, limit }: { webhook_id: string, state?: DeliveryState | undefined, before?: number | undefined, limit: number }): Promise<Delivery[]> {
  return await run<Delivery>(client, 'list_deliveries', `
    select ${SHOWN} from webhook_deliveries
    where webhook_id = $1 and ($2::text is null or state = $2) and ($3::bigint is null or delivery_id < $3)
    order by delivery_id desc limit $4`, [webhook_id, state ?? null, before ?? null, limit])
}

/** A delivery to be tried now, with all that takes. */
export interface Claimed {
  delivery_id: number
  webhook_id: string
  message_id: string
  verdict: number
  tries: number
  position: number | null
  created_at: string
  url: string
  secrets: SealedSecret[]
  failing_since: string | null
  owner: { user_id: number, role: string }
  /** As it stands now; null: a ping, or the event was decided anew. */
  event: FeedEvent | null
}

const EVENT = ['position', 'event_id', 'type', 'version', 'base', 'data', 'outcome', 'reason', 'actor', 'traceparent', 'recorded_at'] as const
interface ClaimedRow extends Omit<Claimed, 'owner' | 'event'> { user_id: number, role: string, event: Omit<FeedEvent, 'recorded_at'> & { recorded_at: string } | null }

/**
 * Takes deliveries that are due, each for one attempt: one that is not settled by the end of the lease is due again. Of each
 * endpoint no more than its share, of one that is failing one at a time; of each order the earliest only, so that its events arrive in the
 * order of their versions. (Endpoints that have anything due are found by a loose scan of the index.)
 * @param underWay attempts of this process by endpoint
 */
export async function claimDeliveries (client: Client, { share, most, leaseMs, underWay }: { share: number, most: number, leaseMs: number, underWay: ReadonlyMap<string, number> }): Promise<Claimed[]> {
  const rows = await run<ClaimedRow>(client, 'claim_deliveries', `
    with recursive waiting (webhook_id) as (
      (select webhook_id from webhook_deliveries where state = 'due' order by webhook_id limit 1)
      union all
      select (select webhook_id from webhook_deliveries where state = 'due' and webhook_id > waiting.webhook_id order by webhook_id limit 1)
      from waiting where waiting.webhook_id is not null
    ), picked as (
      select due.delivery_id from waiting
      join webhooks on webhooks.webhook_id = waiting.webhook_id and webhooks.state <> 'removed'
      left join unnest($1::uuid[], $2::integer[]) as under_way (webhook_id, attempts) on under_way.webhook_id = waiting.webhook_id
      cross join lateral (
        select delivery_id from webhook_deliveries as due
        where due.webhook_id = webhooks.webhook_id and due.state = 'due' and next_attempt_at <= clock_timestamp()
          and (webhooks.state = 'enabled' or due.position is null)
          and (order_id is null or not exists (
            select from webhook_deliveries as earlier
            where earlier.webhook_id = due.webhook_id and earlier.state = 'due' and earlier.order_id = due.order_id and earlier.delivery_id < due.delivery_id))
        order by next_attempt_at, delivery_id
        limit greatest(0, case when webhooks.failing_since is null then $3 else 1 end - coalesce(under_way.attempts, 0))
        for update of due skip locked
      ) as due
      limit $4
    ), claimed as (
      update webhook_deliveries set next_attempt_at = clock_timestamp() + $5 * interval '1 ms'
      from picked where webhook_deliveries.delivery_id = picked.delivery_id returning webhook_deliveries.*
    )
    select delivery_id, claimed.webhook_id, message_id, verdict, tries, claimed.position, claimed.created_at, url, secrets, failing_since, webhooks.user_id, role,
      case when event.event_id is not null then jsonb_build_object(${EVENT.map((name) => `'${name}', event.${name}`).join(', ')}, 'reopened', coalesce(event.reopened, 0)) end as event
    from claimed join webhooks using (webhook_id) join users on users.user_id = webhooks.user_id
    left join order_events as event on event.event_id = claimed.event_id and event.position is not null and coalesce(event.reopened, 0) = claimed.verdict
    order by delivery_id`, [[...underWay.keys()], [...underWay.values()], share, most, leaseMs])
  return rows.map(({ user_id, role, event, ...row }) => ({ ...row, owner: { user_id, role }, event: event && { ...event, recorded_at: new Date(event.recorded_at).toISOString() } }))
}

/** What became of an attempt. */
export interface Settled {
  delivery_id: number
  state: DeliveryState
  /** null: it waits for a key, and no attempt was made */
  attempt: Attempt | null
  /** milliseconds; null: it is settled */
  delay_ms: number | null
  missing_key: string | null
  disabled?: DisabledReason | null
}

export async function settleDeliveries (client: Client, settled: readonly Settled[]): Promise<void> {
  await run(client, 'settle_deliveries', `
    update webhook_deliveries set
      state = settled.state,
      tries = tries + case when attempt is null then 0 else 1 end,
      attempts = case when attempt is null then attempts else attempts || attempt::jsonb end,
      next_attempt_at = clock_timestamp() + delay_ms * interval '1 ms',
      missing_key = settled.missing_key,
      settled_at = case when settled.state <> 'due' then clock_timestamp() end
    from unnest($1::bigint[], $2::text[], $3::text[], $4::double precision[], $5::text[]) as settled (delivery_id, state, attempt, delay_ms, missing_key)
    where webhook_deliveries.delivery_id = settled.delivery_id and webhook_deliveries.state = 'due'`,
  [settled.map((one) => one.delivery_id), settled.map((one) => one.state), settled.map(({ attempt }) => attempt && JSON.stringify(attempt)), settled.map((one) => one.delay_ms), settled.map((one) => one.missing_key)])
}

/** Of a process that ends: others need not wait for the end of the lease. */
export async function releaseDeliveries (client: Client, deliveryIds: readonly number[]): Promise<void> {
  await run(client, 'release_deliveries', "update webhook_deliveries set next_attempt_at = clock_timestamp() where delivery_id = any($1) and state = 'due'", [deliveryIds])
}
