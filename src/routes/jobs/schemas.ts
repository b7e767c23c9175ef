import { Type } from '@sinclair/typebox'
import { JOB_KINDS, JOB_STATES, type JobKind, type JobState } from '../../jobs/job.js'

const Timestamp = Type.String({ format: 'date-time', examples: ['2026-11-23T12:00:00.000Z'] })

export const JobResponse = Type.Object({
  job_id: Type.String({ format: 'uuid', examples: ['0199b2f4-6c1d-7e3a-9b58-2f6f0c1d4e7a'] }),
  kind: Type.Unsafe<JobKind>({ type: 'string', enum: [...JOB_KINDS] }),
  selection: Type.Object({}, { additionalProperties: true, description: 'What it is about, as it was asked for' }),
  state: Type.Unsafe<JobState>({ type: 'string', enum: [...JOB_STATES] }),
  total: Type.Integer({ description: 'How many there were when it was asked for', examples: [42] }),
  done: Type.Integer({ examples: [25] }),
  failed: Type.Integer({ description: 'Left as they were', examples: [0] }),
  failures: Type.Array(Type.Object({ parked_id: Type.String(), code: Type.String({ examples: ['unreadable'] }) }), { description: 'The first 20 of those, with why' }),
  actor: Type.String({ description: 'Who asked for it', examples: ['operator:2'] }),
  created_at: Timestamp,
  updated_at: Timestamp,
  settled_at: Type.Union([Timestamp, Type.Null()], { description: 'When it was done or cancelled' })
}, { $id: 'Job' })

export const JobPage = Type.Object({
  items: Type.Array(JobResponse),
  next_cursor: Type.Union([Type.String(), Type.Null()], { description: 'Pass it as `cursor` to get the next page; null on the last page' })
}, { $id: 'JobPage' })

export const JobQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  cursor: Type.Optional(Type.String({ maxLength: 200, description: '`next_cursor` of the previous page' })),
  state: Type.Optional(Type.Unsafe<JobState>({ type: 'string', enum: [...JOB_STATES] }))
}, { additionalProperties: false })

export const JobParams = Type.Object({ job_id: Type.String({ format: 'uuid' }) })
