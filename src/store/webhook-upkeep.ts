import { type Client, inTransaction, type Pool, run } from './database.js'
import { moveCursor } from './feed-cursors.js'
import { insertDeliveries, insertReplayed, type Told } from './webhook-deliveries.js'

const CURSOR = 'webhooks'

/** What there is to do for endpoints: whether there is any, and the parts of the feed that are being told again. */
export interface EndpointWork {
  any: boolean
  end: number
  replays: Array<{ webhook_id: string, user_id: number, role: string, after: number, before: number }>
}

export async function endpointWork (client: Client): Promise<EndpointWork> {
  const rows = await run<EndpointWork>(client, 'endpoint_work', `
    select exists (select from webhooks where state <> 'removed') as any,
      (select coalesce(max(position), 0) from order_events) as end,
      (select coalesce(jsonb_agg(jsonb_build_object('webhook_id', webhook_id, 'user_id', user_id, 'role', role, 'after', replay_after, 'before', replay_before)), '[]')
        from webhooks join users using (user_id) where replay_after is not null) as replays`, [])
  return rows[0]!
}

/** A part of the feed, as read by one who holds its cursor. */
export interface FeedPart { holder: string, from: number, to: number, leaseMs: number }

/**
 * Makes deliveries of a part of the feed and moves the cursor behind it, in one transaction: each event is a delivery exactly once
 * for each endpoint. The cursor is held first, so that an endpoint is seen here, or begins behind this part.
 * @returns false: the cursor is no longer this holder's, and nothing was made
 */
export async function fanOut (pool: Pool, { holder, from, to, leaseMs }: FeedPart, told: readonly Told[], waitingMs: number): Promise<boolean> {
  return await inTransaction(pool, async (client) => {
    if (!await holdCursor(client, holder, from)) return false
    await insertDeliveries(client, told, { waitingMs })
    return await moveCursor(client, { name: CURSOR, holder, from, to, leaseMs })
  })
}

/** Where there is no endpoint nothing need be read. @returns false: the cursor is no longer this holder's, or there is an endpoint now */
export async function skipFeed (pool: Pool, { holder, from, to, leaseMs }: FeedPart): Promise<boolean> {
  return await inTransaction(pool, async (client) => {
    if (!await holdCursor(client, holder, from) || (await endpointWork(client)).any) return false
    return await moveCursor(client, { name: CURSOR, holder, from, to, leaseMs })
  })
}

async function holdCursor (client: Client, holder: string, from: number): Promise<boolean> {
  const rows = await run(client, 'hold_own_webhook_cursor', 'select from feed_cursors where name = $1 and holder = $2 and position = $3 for update', [CURSOR, holder, from])
  return rows.length > 0
}

/** A step of a replay. @param to null: it is complete */
export async function replayStep (pool: Pool, webhookId: string, { from, to }: { from: number, to: number | null }, told: readonly Told[]): Promise<void> {
  await inTransaction(pool, async (client) => {
    const held = await run(client, 'hold_webhook_replay', 'select from webhooks where webhook_id = $1 and replay_after = $2 for no key update', [webhookId, from])
    if (held.length === 0) return
    await insertReplayed(client, webhookId, told)
    await run(client, 'move_webhook_replay', `
      update webhooks set replay_after = $2::bigint, replay_before = case when $2::bigint is not null then replay_before end where webhook_id = $1`, [webhookId, to])
  })
}

/** A small batch of what is kept no longer. @returns how many rows; fewer than asked for: nothing is left */
export async function sweepDeliveries (client: Client, { keptMs, waitingMs, rows }: { keptMs: number, waitingMs: number, rows: number }): Promise<number> {
  const [swept] = await run<{ rows: number }>(client, 'sweep_deliveries', `
    with old as (
      delete from webhook_deliveries where delivery_id in (
        select delivery_id from webhook_deliveries where state = 'delivered' and settled_at < now() - $1 * interval '1 ms' order by settled_at limit $3) returning 1
    ), orphaned as (
      delete from webhook_deliveries where delivery_id in (
        select delivery_id from webhooks join webhook_deliveries using (webhook_id) where webhooks.state = 'removed' limit $3) returning 1
    ), expired as (
      update webhook_deliveries set state = 'given_up', settled_at = clock_timestamp(), next_attempt_at = null,
        attempts = attempts || jsonb_build_object('at', now(), 'status', null, 'failure', 'expired', 'ms', 0, 'bytes', 0)
      where delivery_id in (
        select delivery_id from webhooks join webhook_deliveries as due using (webhook_id)
        where webhooks.state = 'disabled' and due.state = 'due' and due.created_at < now() - $2 * interval '1 ms' limit $3) returning 1
    )
    select (greatest((select count(*) from old), (select count(*) from orphaned), (select count(*) from expired)))::integer as rows`, [keptMs, waitingMs, rows])
  await run(client, 'sweep_webhooks', `
    delete from webhooks where state = 'removed' and not exists (select from webhook_deliveries where webhook_deliveries.webhook_id = webhooks.webhook_id)`, [])
  return swept!.rows
}

export interface WebhookStatus {
  /** Deliveries to be tried now or later, those of disabled endpoints left out, counted to 100,000. */
  due: number
  /** For how long the one that is overdue longest has been, seconds; null: none is. */
  oldest_seconds: number | null
  enabled: number
  /** Enabled, and its last attempt failed. */
  failing: number
  disabled: number
  /** Deliveries that wait for a key of DATA_KEYS, by its id. */
  missing_keys: string[]
}

export async function webhookStatus (client: Client): Promise<WebhookStatus> {
  const rows = await run<WebhookStatus>(client, 'webhook_status', `
    select
      (select count(*)::integer from (select from webhooks join webhook_deliveries as due using (webhook_id) where webhooks.state = 'enabled' and due.state = 'due' limit 100000) as due) as due,
      (select extract(epoch from clock_timestamp() - min(oldest))::float8 from webhooks cross join lateral (
        select next_attempt_at as oldest from webhook_deliveries as due where due.webhook_id = webhooks.webhook_id and due.state = 'due' and next_attempt_at < clock_timestamp()
        order by next_attempt_at limit 1) as oldest where webhooks.state = 'enabled') as oldest_seconds,
      (select array_remove(array_agg(distinct missing_key), null) from webhook_deliveries where state = 'due' and missing_key is not null) as missing_keys,
      count(*) filter (where state = 'enabled')::integer as enabled,
      count(*) filter (where state = 'enabled' and failing_since is not null)::integer as failing,
      count(*) filter (where state = 'disabled')::integer as disabled
    from webhooks`, [])
  return { ...rows[0]!, missing_keys: rows[0]!.missing_keys ?? [] }
}

/** Deliveries that could be tried now. */
export async function dueNow (client: Client): Promise<number> {
  const rows = await run<{ due: number }>(client, 'deliveries_due_now', `
    select count(*)::integer as due from webhooks join webhook_deliveries as delivery using (webhook_id)
    where webhooks.state = 'enabled' and delivery.state = 'due' and (next_attempt_at <= clock_timestamp() or tries = 0)`, [])
  return rows[0]!.due
}
