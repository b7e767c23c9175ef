import type { FastifyRequest } from 'fastify'

/** The webhook that a request is about, from its address; the request's line names it, whatever becomes of it. */
export function requestedWebhook (request: Pick<FastifyRequest, 'logged'> & { params: { webhook_id: string } }): string {
  const webhook_id = request.params.webhook_id.toLowerCase()
  request.logged = { webhook_id }
  return webhook_id
}
