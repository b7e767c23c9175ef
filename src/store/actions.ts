import type { Action } from '../users/actions.js'
import { type Client, run } from './database.js'

/** A row of the table: when, by the database's clock. */
export interface RecordedAction extends Action {
  action_id: number
  done_at: string
}

/** In the transaction of what was done, where that wrote anything. */
export async function recordAction (client: Client, { actor, role, way, action, target_kind, target_id, request_id }: Action): Promise<void> {
  await run(client, 'record_action', `
    insert into actions (actor, role, way, action, target_kind, target_id, request_id) values ($1, $2, $3, $4, $5, $6, $7)`,
  [actor, role, way, action, target_kind, target_id, request_id])
}

export interface ActionFilter {
  /** Any of these. */
  actors?: readonly string[] | undefined
  /** Each of its members, if given. */
  target?: { kind?: string | undefined, id?: string | undefined } | undefined
  action?: string | undefined
  since?: string | undefined
  /** Only those recorded before the one with this id. */
  before?: number | undefined
  limit: number
}

/** Newest first. */
export async function listActions (client: Client, { actors, target, action, since, before, limit }: ActionFilter): Promise<RecordedAction[]> {
  return await run<RecordedAction>(client, 'list_actions', `
    select action_id, done_at, actor, role, way, action, target_kind, target_id, request_id from actions
    where ($1::text[] is null or actor = any($1)) and ($2::text is null or target_kind = $2) and ($3::text is null or target_id = $3)
      and ($4::text is null or action = $4) and ($5::timestamptz is null or done_at >= $5) and ($6::bigint is null or action_id < $6)
    order by action_id desc limit $7`, [actors ?? null, target?.kind ?? null, target?.id ?? null, action ?? null, since ?? null, before ?? null, limit])
}
