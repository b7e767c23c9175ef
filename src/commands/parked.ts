import { isUtf8 } from 'node:buffer'
import type pg from 'pg'
import { listOf, readDatabase, readSettings } from '../config.js'
import { escapeSteering } from '../logs/terminal.js'
import { discardParked, ParkingError, replayParked, type Settled, theParked } from '../parking/parking-lot.js'
import { macFor } from '../secrets/mac.js'
import { openPool } from '../store/connections.js'
import { listParkedActions, listParked, type ParkedRow } from '../store/parked-events.js'
import { commandLine } from '../users/actions.js'

type Env = Record<string, string | undefined>

/** Enough of an id to tell parked events apart. */
const ID_SHOWN = 12

/** Parked events, newest first, one a line. */
export async function runParkedList (env: Env, { all, limit, json }: { all: boolean, limit: number, json: boolean }): Promise<number> {
  return await withPool(env, async (pool) => {
    const rows = await listParked(pool, { ...(all ? {} : { settled: false }), limit })
    for (const row of rows) console.log(escapeSteering(json ? JSON.stringify(shown(row)) : lineOf(row)))
    if (rows.length === 0 && !json) console.log('nothing is parked')
    return 0
  })
}

/** One parked event with its headers, its bytes and what was done with it. */
export async function runParkedShow (env: Env, id: string): Promise<number> {
  return await withPool(env, async (pool) => {
    const row = await theParked(pool, id)
    console.log(escapeSteering(JSON.stringify({ ...shown(row), actions: await listParkedActions(pool, row.id) }, null, 2)))
    return 0
  })
}

export async function runParkedReplay (env: Env, ids: readonly string[], { by, unsigned }: { by: string, unsigned: boolean }): Promise<number> {
  const mac = macFor(listOf(readSettings(env, 'EVENT_KEYS').EVENT_KEYS ?? ''), 'order message')
  return await settleEach(env, ids, async (pool, id) => await replayParked(pool, id, commandLine(by), { mac, unsigned }),
    ({ events }) => `handed to the fallback queue: ${events} order event${events === 1 ? '' : 's'}, booked by the next worker`, 'was replayed before')
}

export async function runParkedDiscard (env: Env, ids: readonly string[], by: string): Promise<number> {
  return await settleEach(env, ids, async (pool, id) => await discardParked(pool, id, commandLine(by)), () => 'discarded; its bytes are kept', 'was discarded before')
}

/** Each by itself: one that cannot be settled does not keep the others back. */
async function settleEach (env: Env, ids: readonly string[], settle: (pool: pg.Pool, id: string) => Promise<Settled>, done: (settled: Settled) => string, before: string): Promise<number> {
  return await withPool(env, async (pool) => {
    let failed = 0
    for (const given of ids) {
      try {
        const settled = await settle(pool, given)
        console.log(`${settled.id.slice(0, ID_SHOWN)}  ${settled.before ? before : done(settled)}`)
      } catch (error) {
        if (!(error instanceof ParkingError)) throw error
        failed++
        console.error(`${given}  ${error.message}`)
      }
    }
    return failed > 0 ? 1 : 0
  })
}

async function withPool (env: Env, work: (pool: pg.Pool) => Promise<number>): Promise<number> {
  const pool = openPool(readDatabase(env), 'parked')
  try {
    return await work(pool)
  } finally {
    await pool.end()
  }
}

function lineOf ({ id, parked_at, source, attempts, settlement, reason }: ParkedRow): string {
  return [id.slice(0, ID_SHOWN), parked_at, source.padEnd(6), `x${attempts}`.padEnd(4), (settlement ?? 'parked').padEnd(9), reason.replaceAll('\n', ' ')].join('  ')
}

/** Bytes that are no text are shown in base64. */
function shown ({ raw, ...row }: ParkedRow): object {
  return { ...row, ...(isUtf8(raw) ? { raw: raw.toString() } : { raw_base64: raw.toString('base64') }) }
}
