import type { Job, JobFailure, JobState, NewJob } from '../jobs/job.js'
import type { Actor } from '../users/actions.js'
import { recordAction } from './actions.js'
import { type Client, inTransaction, type Pool, run } from './database.js'
import { countSelected } from './parked-events.js'

const COLUMNS = 'job_id, kind, selection, state, total, done, failed, failures, actor, created_at, updated_at, settled_at'

/** Counts what it is about and writes it down, with its action. One about nothing is done at once. */
export async function createJob (pool: Pool, { job_id, kind, selection, by }: NewJob): Promise<Job> {
  return await inTransaction(pool, async (client) => {
    const { total, last } = await countSelected(client, selection)
    const [job] = await run<Job>(client, 'create_job', `
      insert into jobs (job_id, kind, selection, total, last, state, settled_at, actor, role, way, request_id)
      values ($1, $2, $3, $4, $5, case when $4 = 0 then 'done' else 'running' end, case when $4 = 0 then clock_timestamp() end, $6, $7, $8, $9)
      returning ${COLUMNS}`, [job_id, kind, JSON.stringify(selection), total, last, by.actor, by.role, by.way, by.request_id])
    await recordAction(client, { ...by, action: 'job.created', target_kind: 'job', target_id: job_id })
    return job!
  })
}

/** Newest first. @param before ids of version 7: what was made before this one */
export async function listJobs (client: Client, { state, before, limit }: { state?: JobState | undefined, before?: string | undefined, limit: number }): Promise<Job[]> {
  return await run<Job>(client, 'list_jobs', `
    select ${COLUMNS} from jobs where ($1::uuid is null or job_id < $1) and ($2::text is null or state = $2)
    order by job_id desc limit $3`, [before ?? null, state ?? null, limit])
}

export async function findJob (client: Client, jobId: string): Promise<Job | null> {
  const [job] = await run<Job>(client, 'find_job', `select ${COLUMNS} from jobs where job_id = $1`, [jobId])
  return job ?? null
}

/** Waits for the step under way; one that is over stays as it is. @returns null: there is none such */
export async function cancelJob (pool: Pool, jobId: string, by: Actor): Promise<Job | null> {
  return await inTransaction(pool, async (client) => {
    const [cancelled] = await run<Job>(client, 'cancel_job', `
      update jobs set state = 'cancelled', settled_at = clock_timestamp(), updated_at = clock_timestamp()
      where job_id = $1 and state = 'running' returning ${COLUMNS}`, [jobId])
    if (!cancelled) return await findJob(client, jobId)
    await recordAction(client, { ...by, action: 'job.cancelled', target_kind: 'job', target_id: jobId })
    return cancelled
  })
}

/** A job as the worker takes it. */
export interface TakenJob extends Job, Omit<Actor, 'actor'> {
  position: number
  last: number
}

/** The job that is due longest, held to the end of the transaction; one that another worker holds is passed over. */
export async function takeJob (client: Client): Promise<TakenJob | null> {
  const [job] = await run<TakenJob>(client, 'take_job', `
    select ${COLUMNS}, position, last, role, way, request_id from jobs
    where state = 'running' and due_at <= clock_timestamp() order by due_at limit 1 for update skip locked`, [])
  return job ?? null
}

export interface JobStep {
  /** null: nothing is left */
  position: number | null
  done: number
  failures: readonly JobFailure[]
  /** The next step is due so many milliseconds later. */
  pauseMs: number
}

const MOST_FAILURES = 20

/** What a step came to, in its transaction. */
export async function advanceJob (client: Client, { job_id, failures: known }: Job, { position, done, failures, pauseMs }: JobStep): Promise<Job> {
  const [job] = await run<Job>(client, 'advance_job', `
    update jobs set position = coalesce($2, position), done = done + $3, failed = failed + $4, failures = failures || $5::jsonb,
      state = case when $2::bigint is null then 'done' else state end, settled_at = case when $2::bigint is null then clock_timestamp() end,
      due_at = clock_timestamp() + $6 * interval '1 ms', updated_at = clock_timestamp()
    where job_id = $1 returning ${COLUMNS}`, [job_id, position, done, failures.length, JSON.stringify(failures.slice(0, MOST_FAILURES - known.length)), pauseMs])
  return job!
}
