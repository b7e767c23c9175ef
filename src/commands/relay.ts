import { setTimeout as wait } from 'node:timers/promises'
import { loadConfig, readDatabase } from '../config.js'
import { logLine } from '../logs/log-line.js'
import { buildRelay } from '../relay.js'
import { recordAction } from '../store/actions.js'
import { openPool } from '../store/connections.js'
import { highestPosition } from '../store/feed.js'
import { cursorStatus, rewindCursor } from '../store/feed-cursors.js'
import { inTransaction } from '../store/database.js'
import { commandLine } from '../users/actions.js'
import { serve } from './process.js'

const POLL_MS = 50

/** @param options.once tell what there is and end @param options.limitMs for that; exit code 1 when it was not enough */
export async function runRelay (env: Record<string, string | undefined>, { once, limitMs }: { once: boolean, limitMs: number }): Promise<number> {
  const config = loadConfig('relay', env, () => '')
  const app = await buildRelay(config)
  if (!once) {
    await serve(app)
    return 0
  }
  await app.ready()
  logLine(app.log, { event: 'started', config: config.shown })
  const deadline = Date.now() + limitMs
  let left: number | null = null
  let cause: unknown
  while (left !== 0 && Date.now() < deadline) {
    left = await app.untold().catch((error: unknown) => {
      cause = error
      return null
    })
    if (left !== 0) await wait(POLL_MS)
  }
  if (left === 0) logLine(app.log, { event: 'drained' })
  else logLine(app.log, { event: 'not_drained', services: app.health.report(), reason: 'limit', ...(cause ? { err: cause } : {}) })
  await app.close()
  logLine(app.log, { event: 'closed' })
  return left === 0 ? 0 : 1
}

/** How far each way out has told the feed, who tells it, and what is left. */
export async function runRelayStatus (env: Record<string, string | undefined>, { json }: { json: boolean }): Promise<number> {
  const pool = openPool(readDatabase(env), 'relay status')
  try {
    for (const cursor of await cursorStatus(pool)) {
      const { name, position, holder, lag, lag_seconds: seconds } = cursor
      const behind = lag === 0 ? 'nothing is left to tell' : `${lag} events to tell, the oldest settled ${Math.round(seconds ?? 0)} s ago`
      console.log(json ? JSON.stringify(cursor) : `${name}: told up to ${position}; ${behind}; ${holder === null ? 'no relay tells it' : `told by ${holder}`}`)
    }
    return 0
  } finally {
    await pool.end()
  }
}

/** Has the exchange told again from behind this position. */
export async function runRelayRewind (env: Record<string, string | undefined>, { to, by }: { to: number, by: string }): Promise<number> {
  const pool = openPool(readDatabase(env), 'relay rewind')
  try {
    const highest = await highestPosition(pool)
    if (to > highest) {
      console.error(`the feed ends at ${highest}`)
      return 1
    }
    const before = await inTransaction(pool, async (client) => {
      const position = await rewindCursor(client, 'exchange', to)
      await recordAction(client, { ...commandLine(by), action: 'feed.rewound', target_kind: 'feed_cursor', target_id: 'exchange' })
      return position
    })
    console.log(`exchange: told up to ${to} now, before ${before}; whoever listens is told the rest, what they know included`)
    return 0
  } finally {
    await pool.end()
  }
}
