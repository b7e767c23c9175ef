import { readDatabase, readSettings, secondsOf } from '../config.js'
import { MOST_EXPIRED, sweepStale } from '../expiry/sweep.js'
import { newId } from '../ids.js'
import { openPool } from '../store/connections.js'
import { countStale } from '../store/orders.js'
import { commandLine } from '../users/actions.js'

/** Counts the stale orders, or has them cancelled: once, as many as one sweep takes. */
export async function runSweep (env: Record<string, string | undefined>, { dryRun, by }: { dryRun: boolean, by: string }): Promise<number> {
  const { STALE_AFTER: after } = readSettings(env, 'STALE_AFTER')
  if (after === undefined) {
    console.error('comanda: STALE_AFTER is not set, so no order is ever stale: set it, to 72h for example')
    return 1
  }
  const pool = openPool(readDatabase(env), 'sweep')
  try {
    const staleAfter = secondsOf(after)
    const due = await countStale(pool, staleAfter, MOST_EXPIRED + 1)
    const many = due > MOST_EXPIRED ? `${MOST_EXPIRED} or more` : String(due)
    if (dryRun) {
      console.log(`${many} orders are unpaid and unchanged for ${after}: a sweep cancels them, ${MOST_EXPIRED} at most`)
      return 0
    }
    const run = newId()
    const expired = await sweepStale(pool, { run, staleAfter, by: commandLine(by) })
    console.log(`${expired} orders are cancelled by the next worker, unless they are paid before${expired > 0 ? `; their timelines name sweep ${run}` : ''}`)
    return 0
  } finally {
    await pool.end()
  }
}
