import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Answers of these routes are their reader's own: no cache but theirs keeps them, and that one asks again. */
export function keepPrivate (app: FastifyInstance): void {
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (reply.statusCode < 400) reply.header('cache-control', 'private, no-cache').header('vary', 'Authorization')
    done()
  })
}

/** A page of a list, with a link to the same list behind its cursor: RFC 8288. */
export function withNextLink<Page extends { next_cursor: string | null }> (request: FastifyRequest, reply: FastifyReply, page: Page): Page {
  if (page.next_cursor === null) return page
  const [path = '', query = ''] = request.url.split('?', 2)
  const next = new URLSearchParams(query)
  next.set('cursor', page.next_cursor)
  reply.header('link', `<${path}?${next.toString()}>; rel="next"`)
  return page
}
