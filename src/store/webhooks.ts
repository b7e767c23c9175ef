import type { DisabledReason, Endpoint } from '../webhooks/endpoint.js'
import { type Client, run } from './database.js'

/** A secret as it is kept; `until`: ISO 8601, when it signs no more, null for the newest. */
export interface SealedSecret { sealed: string, until: string | null }

const COLUMNS = `webhook_id, user_id, url, description, types, state, disabled_reason, disabled_at, failing_since,
  case when replay_after is not null then jsonb_build_object('after', replay_after, 'before', replay_before) end as replaying, created_at, updated_at`

export interface NewEndpoint extends Pick<Endpoint, 'webhook_id' | 'user_id' | 'url' | 'description' | 'types'> {
  secret: string
  /** So many may one user have. */
  most: number
}

/**
 * Told from the present end of the feed on. In a transaction: the cursor is held, so that what is settled behind that end is
 * turned into deliveries after this endpoint is there to be seen.
 * @returns null: the user has as many as one user may
 */
export async function insertEndpoint (client: Client, { webhook_id, user_id, url, description, types, secret, most }: NewEndpoint): Promise<Endpoint | null> {
  await run(client, 'hold_webhook_cursor', "select from feed_cursors where name = 'webhooks' for share", [])
  await run(client, 'hold_webhook_owner', 'select from users where user_id = $1 for no key update', [user_id])
  const rows = await run<Endpoint>(client, 'insert_webhook', `
    insert into webhooks (webhook_id, user_id, url, description, types, secrets, told_after)
    select $1, $2, $3, $4, $5, jsonb_build_array(jsonb_build_object('sealed', $6::text, 'until', null)), (select coalesce(max(position), 0) from order_events)
    where (select count(*) from webhooks where user_id = $2 and state <> 'removed') < $7
    returning ${COLUMNS}`, [webhook_id, user_id, url, description, types, secret, most])
  return rows[0] ?? null
}

/** Newest first, those of one user or of all. */
export async function listEndpoints (client: Client, { user_id, after, limit }: { user_id?: number | undefined, after?: string | undefined, limit: number }): Promise<Endpoint[]> {
  return await run<Endpoint>(client, 'list_webhooks', `
    select ${COLUMNS} from webhooks
    where state <> 'removed' and ($1::integer is null or user_id = $1) and ($2::uuid is null or webhook_id < $2)
    order by webhook_id desc limit $3`, [user_id ?? null, after ?? null, limit])
}

/** @param hold until the end of the transaction no other changes it */
export async function findEndpoint (client: Client, webhookId: string, { hold = false } = {}): Promise<Endpoint | null> {
  const [name, lock] = hold ? ['hold_webhook', ' for no key update'] : ['find_webhook', '']
  const rows = await run<Endpoint>(client, name, `select ${COLUMNS} from webhooks where webhook_id = $1 and state <> 'removed'${lock}`, [webhookId])
  return rows[0] ?? null
}

/** What is undefined stays. Enabled again, it is as one that never failed, and what waited is due. */
export interface EndpointChange {
  url?: string | undefined
  description?: string | null | undefined
  types?: string[] | null | undefined
  enabled?: boolean | undefined
  /** Of one that is turned off. */
  reason: DisabledReason
}

export async function updateEndpoint (client: Client, webhookId: string, { url, description, types, enabled, reason }: EndpointChange): Promise<Endpoint | null> {
  const rows = await run<Endpoint>(client, 'update_webhook', `
    update webhooks set
      url = coalesce($2, url),
      description = case when $3 then $4 else description end,
      types = case when $5 then $6::text[] else types end,
      state = case $7::boolean when true then 'enabled' when false then 'disabled' else state end,
      disabled_reason = case $7::boolean when true then null when false then coalesce(disabled_reason, $8) else disabled_reason end,
      disabled_at = case $7::boolean when true then null when false then coalesce(disabled_at, clock_timestamp()) else disabled_at end,
      failing_since = case when $7 then null else failing_since end,
      updated_at = clock_timestamp()
    where webhook_id = $1 and state <> 'removed' returning ${COLUMNS}`,
  [webhookId, url ?? null, description !== undefined, description ?? null, types !== undefined, types ?? null, enabled ?? null, reason])
  return rows[0] ?? null
}

/** Its address and its secrets are gone at once; its deliveries are swept by and by. @returns whether it was there */
export async function removeEndpoint (client: Client, webhookId: string): Promise<boolean> {
  return (await run(client, 'remove_webhook', `${REMOVED} where webhook_id = $1 and state <> 'removed' returning webhook_id`, [webhookId])).length > 0
}

/** Of an erased user. */
export async function removeEndpointsOf (client: Client, userId: number): Promise<void> {
  await run(client, 'remove_webhooks_of', `${REMOVED} where user_id = $1 and state <> 'removed'`, [userId])
}

const REMOVED = `
  update webhooks set state = 'removed', url = null, description = null, secrets = '[]', disabled_reason = null, disabled_at = null,
    replay_after = null, replay_before = null, updated_at = clock_timestamp()`

/** The newest first. */
export async function secretsOf (client: Client, webhookId: string): Promise<SealedSecret[]> {
  return (await run<{ secrets: SealedSecret[] }>(client, 'webhook_secrets', 'select secrets from webhooks where webhook_id = $1', [webhookId]))[0]?.secrets ?? []
}

export async function replaceSecrets (client: Client, webhookId: string, secrets: readonly SealedSecret[]): Promise<void> {
  await run(client, 'replace_webhook_secrets', 'update webhooks set secrets = $2, updated_at = clock_timestamp() where webhook_id = $1', [webhookId, JSON.stringify(secrets)])
}

/** Has a part of the feed told again. @param before null: up to the present end @returns null: a part is being told already */
export async function beginReplay (client: Client, webhookId: string, { after, before }: { after: number, before: number | null }): Promise<Endpoint | null> {
  const rows = await run<Endpoint>(client, 'begin_webhook_replay', `
    update webhooks set replay_after = $2, replay_before = coalesce($3, (select coalesce(max(position), 0) from order_events)), updated_at = clock_timestamp()
    where webhook_id = $1 and state <> 'removed' and replay_after is null returning ${COLUMNS}`, [webhookId, after, before])
  return rows[0] ?? null
}

/** What was heard of an endpoint by its deliveries. @returns those that were disabled by it */
export async function recordHealth (client: Client, heard: ReadonlyArray<{ webhook_id: string, failing: boolean, disabled: DisabledReason | null }>): Promise<Array<{ webhook_id: string, disabled_reason: DisabledReason }>> {
  return await run(client, 'record_webhook_health', `
    with heard as (select * from unnest($1::uuid[], $2::boolean[], $3::text[]) as heard (webhook_id, failing, disabled)), changed as (
      update webhooks set
        failing_since = case when heard.failing then coalesce(failing_since, clock_timestamp()) end,
        state = case when disabled is null then state else 'disabled' end,
        disabled_reason = coalesce(disabled_reason, disabled),
        disabled_at = case when disabled is null then disabled_at else coalesce(disabled_at, clock_timestamp()) end
      from heard
      where webhooks.webhook_id = heard.webhook_id and state = 'enabled' and (disabled is not null or heard.failing = (failing_since is null))
      returning webhooks.webhook_id, disabled_reason
    )
    select webhook_id, disabled_reason from changed where disabled_reason is not null`,
  [heard.map(({ webhook_id: id }) => id), heard.map(({ failing }) => failing), heard.map(({ disabled }) => disabled)])
}
