import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { keepPrivate, withNextLink } from '../pages.js'
import { JobPage, JobParams, JobQuery, JobResponse } from './schemas.js'

/** What operators asked to be done with many things at once. */
export const jobRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.authenticate)
  keepPrivate(app)

  app.get('/jobs', {
    config: { problems: ['forbidden', 'bad_cursor'], answers: { 200: { description: 'A page of jobs', headers: ['link'] } } },
    schema: { tags: ['operators'], operationId: 'listJobs', summary: 'List jobs, newest first', description: 'For operators.', querystring: JobQuery, response: { 200: JobPage } }
  }, async (request, reply) => withNextLink(request, reply, await app.operations.jobs(request.query, app.callerOf(request))))

  app.get('/jobs/:job_id', {
    config: { problems: ['forbidden', 'job_not_found'] },
    schema: { tags: ['operators'], operationId: 'getJob', summary: 'How far a job is', description: 'For operators. Workers do it in small steps; one that is killed is taken over by another.', params: JobParams, response: { 200: JobResponse } }
  }, async (request) => await app.operations.job(request.params.job_id.toLowerCase(), app.callerOf(request)))

  app.post('/jobs/:job_id/cancel', {
    config: { problems: ['forbidden', 'job_not_found'] },
    schema: { tags: ['operators'], operationId: 'cancelJob', summary: 'Stop a job', description: 'For operators. What is done stays done; a job that is over stays as it is.', params: JobParams, response: { 200: JobResponse } }
  }, async (request) => await app.operations.cancelJob(request.params.job_id.toLowerCase(), app.requesterOf(request)))
}
