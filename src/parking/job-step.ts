import type { Job, JobFailure } from '../jobs/job.js'
import { type Client, inTransaction, type Pool, savepoint } from '../store/database.js'
import { isTransient, StoreError } from '../store/failures.js'
import { advanceJob, type TakenJob, takeJob } from '../store/jobs.js'
import { type ParkedRow, takeSelected } from '../store/parked-events.js'
import type { Actor } from '../users/actions.js'
import { discardHeld, ParkingError, replayHeld, type ReplayTrust } from './parking-lot.js'

/** A hundred a second, whatever the number of workers: what is replayed must not push aside what is placed. */
const ITEMS = 25
const PAUSE_MS = 250

/**
 * One step of the job that is due longest, in one transaction: its items, their actions and how far it got. A worker that is killed
 * leaves nothing half done, and another goes on from there.
 * @returns the job as it is now; null: none is due @throws StoreError `unavailable`
 */
export async function stepJob (pool: Pool, trust: ReplayTrust): Promise<Job | null> {
  return await inTransaction(pool, async (client) => {
    const job = await takeJob(client)
    if (!job) return null
    const rows = await takeSelected(client, job.selection, { behind: job.position, last: job.last, limit: ITEMS })
    const failures: JobFailure[] = []
    for (const row of rows) {
      const failure = await settleOne(client, job, row, trust)
      if (failure) failures.push(failure)
    }
    const last = rows.at(-1)
    return await advanceJob(client, job, { position: rows.length < ITEMS ? null : last!.parked_number, done: rows.length - failures.length, failures, pauseMs: PAUSE_MS })
  })
}

/** One that cannot be settled stays as it is and keeps no other back. */
async function settleOne (client: Client, { kind, actor, role, way, request_id }: TakenJob, row: ParkedRow, trust: ReplayTrust): Promise<JobFailure | null> {
  const by: Actor = { actor, role, way, request_id }
  try {
    await savepoint(client, async () => kind === 'parked.replay' ? await replayHeld(client, row, by, trust) : await discardHeld(client, row, by))
    return null
  } catch (error) {
    if (isTransient(error)) throw error
    return { parked_id: row.id, code: error instanceof ParkingError ? error.code : error instanceof StoreError ? 'not_storable' : 'defect' }
  }
}
