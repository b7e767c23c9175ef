import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { JobKind } from '../../jobs/job.js'
import { JobResponse } from '../jobs/schemas.js'
import { lowerCase } from './parked.js'
import { Counted, ParkedParams, SettledResponse, SettleManyBody } from './schemas.js'

const VERBS: Array<[verb: 'replay' | 'discard', kind: JobKind, what: string]> = [
  ['replay', 'parked.replay', 'Its order events go to the fallback queue once more and are booked by a worker; one that was booked before is not booked twice.'],
  ['discard', 'parked.discard', 'It is given up; its bytes stay to be looked at.']
]

/** What operators make of parked events: of one at once, of many by a job. */
export const settleRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.authenticate)
  app.addHook('onSend', async (_request, reply) => { reply.header('cache-control', 'no-store') })

  for (const [verb, kind, what] of VERBS) {
    app.post(`/parked/:parked_id/${verb}`, {
      config: { problems: ['forbidden', 'parked_not_found', 'parked_settled', ...(verb === 'replay' ? ['parked_unreadable', 'parked_forged'] as const : [])] },
      schema: {
        tags: ['operators'],
        operationId: `${verb}Parked`,
        summary: `${verb === 'replay' ? 'Replay' : 'Discard'} one parked event`,
        description: `For operators. ${what} Safe to repeat.`,
        params: ParkedParams,
        response: { 200: SettledResponse }
      }
    }, async (request) => {
      const { event, events } = await app.operations.settle(kind, request.params.parked_id, app.requesterOf(request))
      return { parked: event, events }
    })

    app.post(`/parked/${verb}`, {
      config: { problems: ['forbidden'], answers: { 200: { description: 'How many there are' }, 202: { description: 'The job that does it', headers: ['location'] } } },
      schema: {
        tags: ['operators'],
        operationId: `${verb}ManyParked`,
        summary: `${verb === 'replay' ? 'Replay' : 'Discard'} many parked events`,
        description: `For operators: by a job, about a hundred a second, of those that are open now. ${what} With \`dry_run\` they are only counted.`,
        body: SettleManyBody,
        response: { 200: Counted, 202: JobResponse }
      }
    }, async (request, reply) => {
      const { dry_run: dryRun = false, ...selection } = lowerCase(request.body)
      if (dryRun) return { total: await app.operations.count(selection, app.callerOf(request)) }
      const job = await app.operations.settleMany(kind, selection, app.requesterOf(request))
      return await reply.code(202).header('location', `/jobs/${job.job_id}`).send(job)
    })
  }
}
