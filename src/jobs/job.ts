import type { Actor } from '../users/actions.js'

/** What is done with many things at once: asked for by an operator, done by workers, a few at a time. */
export const JOB_KINDS = ['parked.replay', 'parked.discard'] as const
export type JobKind = typeof JOB_KINDS[number]

/**
 *   running --nothing is left--> done
 *      \--an operator stops it--> cancelled (what is done stays done)
 */
export const JOB_STATES = ['running', 'done', 'cancelled'] as const
export type JobState = typeof JOB_STATES[number]

/** Which parked events: every member given must fit. Of `ids` those that are open. */
export interface ParkedSelection {
  ids?: readonly string[] | undefined
  reason?: string | undefined
  source?: 'queue' | 'fallback' | 'dead' | undefined
  /** What stands somewhere in the bytes. */
  order_id?: string | undefined
  text?: string | undefined
  /** ISO 8601; from this moment on */
  parked_from?: string | undefined
  /** ISO 8601; before this moment */
  parked_before?: string | undefined
}

export interface JobFailure {
  parked_id: string
  /** As a ParkingError has it; `not_storable` where Postgres refuses what it holds, `defect` where this build fails over it. */
  code: string
}

export interface Job {
  job_id: string
  kind: JobKind
  selection: ParkedSelection
  state: JobState
  /** How many there were when it was asked for. */
  total: number
  done: number
  failed: number
  /** The first of those that failed. */
  failures: JobFailure[]
  /** Who asked for it. */
  actor: string
  created_at: string
  updated_at: string
  settled_at: string | null
}

export interface NewJob {
  job_id: string
  kind: JobKind
  selection: ParkedSelection
  by: Actor
}
