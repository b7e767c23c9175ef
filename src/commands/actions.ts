import { readDatabase } from '../config.js'
import { listActions, type RecordedAction } from '../store/actions.js'
import { openPool } from '../store/connections.js'

export interface ActionsOptions {
  actor?: string
  target?: string
  action?: string
  since?: string
  limit: number
  json: boolean
}

const USER_ID = /^[1-9][0-9]*$/

/** Who did what to whom, newest first, one a line. */
export async function runActionsList (env: Record<string, string | undefined>, { actor, target, action, since, limit, json }: ActionsOptions): Promise<number> {
  const pool = openPool(readDatabase(env), 'actions')
  try {
    const rows = await listActions(pool, {
      // A person by number is meant in either role.
      actors: actor === undefined ? undefined : USER_ID.test(actor) ? [`user:${actor}`, `operator:${actor}`] : [actor],
      target: target === undefined ? undefined : { id: target },
      action,
      since,
      limit
    })
    for (const row of rows) console.log(json ? JSON.stringify(row) : lineOf(row))
    if (rows.length === 0 && !json) console.log('no such action is recorded')
    return 0
  } finally {
    await pool.end()
  }
}

function lineOf ({ done_at, actor, way, action, target_kind, target_id, request_id }: RecordedAction): string {
  return [done_at, actor, way, action, `${target_kind} ${target_id}`, request_id ?? '-'].join('  ')
}
