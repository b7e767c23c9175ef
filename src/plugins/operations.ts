import fp from 'fastify-plugin'
import { newId } from '../ids.js'
import { shownParked, wholeParked } from '../parking/shown.js'
import { discardParked, replayParked } from '../parking/parking-lot.js'
import { macFor } from '../secrets/mac.js'
import { listActions } from '../store/actions.js'
import { cancelJob, createJob, findJob, listJobs } from '../store/jobs.js'
import { countSelected, groupParked, listParkedActions, listParkedBriefly, readParked } from '../store/parked-events.js'
import { Operations, type OperationsPort } from '../usecases/operations.js'

declare module 'fastify' {
  interface FastifyInstance { operations: Operations }
}

/** What operators see and do beside orders and users: the parking lot, jobs, actions. */
export const operationsPlugin = fp(async (app) => {
  const mac = macFor(app.config.eventKeys, 'order message')
  const store: OperationsPort = {
    parked: async (filter) => (await listParkedBriefly(app.requestPool(), filter)).map((row) => ({ number: row.parked_number, event: shownParked(row) })),
    parkedGroups: async () => await groupParked(app.requestPool()),
    parkedEvent: async (parkedId) => {
      const row = await readParked(app.requestPool(), parkedId)
      return row ? wholeParked(row, await listParkedActions(app.requestPool(), row.id)) : null
    },
    settle: async (kind, parkedId, by) => kind === 'parked.replay'
      ? await replayParked(app.requestPool(), parkedId, by, { mac })
      : await discardParked(app.requestPool(), parkedId, by),
    count: async (selection) => (await countSelected(app.requestPool(), selection)).total,
    createJob: async (job) => await createJob(app.requestPool(), job),
    jobs: async (filter) => await listJobs(app.requestPool(), filter),
    job: async (jobId) => await findJob(app.requestPool(), jobId),
    cancelJob: async (jobId, by) => await cancelJob(app.requestPool(), jobId, by),
    actions: async ({ actor, target_kind, target_id, ...filter }) => await listActions(app.requestPool(), {
      ...filter, actors: actor === undefined ? undefined : [actor], target: { kind: target_kind, id: target_id }
    })
  }
  app.decorate('operations', new Operations({ store, newId }))
}, { name: 'operations', dependencies: ['config', 'postgres'] })
