import { OperationError } from '../jobs/errors.js'
import type { Job, JobKind, JobState, NewJob, ParkedSelection } from '../jobs/job.js'
import type { ParkedEvent, ParkedGroup, ParkedQuery, WholeParkedEvent } from '../jobs/parked.js'
import { cursorOf, idBehind, numberBehind, type Page, toPage } from '../orders/page.js'
import { type Action, type ActionName, type Actor, actorOf, type Requester } from '../users/actions.js'
import type { Caller } from '../users/roles.js'

/** The parking lot, jobs and actions as stored. null: there is none such. @throws StoreError */
export interface OperationsPort {
  /** Newest first, each with its number, by which pages go on. */
  parked (filter: ParkedSelection & { settled?: boolean | undefined, before?: number | undefined, limit: number }): Promise<Array<{ number: number, event: ParkedEvent }>>
  parkedGroups (): Promise<ParkedGroup[]>
  parkedEvent (parkedId: string): Promise<WholeParkedEvent | null>
  /** Safe to repeat. @returns how many order events are booked anew @throws ParkingError */
  settle (kind: JobKind, parkedId: string, by: Actor): Promise<{ events: number }>
  /** Open ones. */
  count (selection: ParkedSelection): Promise<number>
  createJob (job: NewJob): Promise<Job>
  jobs (filter: { state?: JobState | undefined, before?: string | undefined, limit: number }): Promise<Job[]>
  job (jobId: string): Promise<Job | null>
  cancelJob (jobId: string, by: Actor): Promise<Job | null>
  /** Newest first. */
  actions (filter: ActionFilter & { before?: number | undefined, limit: number }): Promise<RecordedAction[]>
}

export interface RecordedAction extends Action {
  action_id: number
  done_at: string
}

export interface ActionFilter {
  actor?: string | undefined
  action?: ActionName | undefined
  target_kind?: Action['target_kind'] | undefined
  target_id?: string | undefined
  /** ISO 8601 */
  since?: string | undefined
}

export interface Paging { limit: number, cursor?: string | undefined }

export interface OperationsOptions {
  store: OperationsPort
  /** UUIDv7: jobs are listed by it */
  newId: () => string
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** What operators see and do beside orders and users. Every method @throws OperationError `forbidden` for customers */
export class Operations {
  readonly #options: OperationsOptions

  constructor (options: OperationsOptions) {
    this.#options = options
  }

  /** Newest first. @throws OperationError `bad_cursor` */
  async parked ({ cursor, limit, ...query }: ParkedQuery, caller: Caller): Promise<Page<ParkedEvent>> {
    const store = this.#for(caller)
    const before = behind(cursor, (given) => numberBehind('parked', given))
    const { items, next_cursor } = toPage(await store.parked({ ...query, before, limit: limit + 1 }), limit, ({ number }) => cursorOf('parked', String(number)))
    return { items: items.map(({ event }) => event), next_cursor }
  }

  async parkedGroups (caller: Caller): Promise<ParkedGroup[]> {
    return await this.#for(caller).parkedGroups()
  }

  /** @throws OperationError `parked_not_found` */
  async parkedEvent (parkedId: string, caller: Caller): Promise<WholeParkedEvent> {
    return await this.#for(caller).parkedEvent(parkedId) ?? fail('parked_not_found')
  }

  /** Safe to repeat. @throws OperationError `parked_not_found`; ParkingError */
  async settle (kind: JobKind, parkedId: string, by: Requester): Promise<{ event: WholeParkedEvent, events: number }> {
    const store = this.#for(by)
    if (await store.parkedEvent(parkedId) === null) fail('parked_not_found')
    const { events } = await store.settle(kind, parkedId, actorOf(by))
    return { event: await this.parkedEvent(parkedId, by), events }
  }

  /** How many a job with this selection would be about. */
  async count (selection: ParkedSelection, caller: Caller): Promise<number> {
    return await this.#for(caller).count(selection)
  }

  /** Workers do it, a few at a time. */
  async settleMany (kind: JobKind, selection: ParkedSelection, by: Requester): Promise<Job> {
    return await this.#for(by).createJob({ job_id: this.#options.newId(), kind, selection, by: actorOf(by) })
  }

  /** Newest first. @throws OperationError `bad_cursor` */
  async jobs ({ state, limit, cursor }: Paging & { state?: JobState | undefined }, caller: Caller): Promise<Page<Job>> {
    const store = this.#for(caller)
    const before = behind(cursor, (given) => idBehind('job', given))
    if (before !== undefined && !UUID.test(before)) fail('bad_cursor')
    return toPage(await store.jobs({ state, before, limit: limit + 1 }), limit, ({ job_id }) => cursorOf('job', job_id))
  }

  /** @throws OperationError `job_not_found` */
  async job (jobId: string, caller: Caller): Promise<Job> {
    return await this.#for(caller).job(jobId) ?? fail('job_not_found')
  }

  /** What is done stays done; one that is over stays as it is. @throws OperationError `job_not_found` */
  async cancelJob (jobId: string, by: Requester): Promise<Job> {
    return await this.#for(by).cancelJob(jobId, actorOf(by)) ?? fail('job_not_found')
  }

  /** Newest first. @throws OperationError `bad_cursor` */
  async actions ({ cursor, limit, ...filter }: ActionFilter & Paging, caller: Caller): Promise<Page<RecordedAction>> {
    const store = this.#for(caller)
    const before = behind(cursor, (given) => numberBehind('action', given))
    return toPage(await store.actions({ ...filter, before, limit: limit + 1 }), limit, ({ action_id }) => cursorOf('action', String(action_id)))
  }

  #for ({ role }: Caller): OperationsPort {
    if (role !== 'operator') fail('forbidden')
    return this.#options.store
  }
}

function behind<T> (cursor: string | undefined, read: (cursor: string) => T | null): T | undefined {
  return cursor === undefined ? undefined : read(cursor) ?? fail('bad_cursor')
}

function fail (code: OperationError['code']): never {
  throw new OperationError(code)
}
