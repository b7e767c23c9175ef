import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from '@sinclair/typebox'
import { cloudEventOf } from '../../feed/cloud-event.js'
import { acceptsStream, EVENT_STREAM } from '../../http/event-stream.js'
import { type FeedEvent, FEED_TYPES, HAPPENINGS, type Happening } from '../../orders/feed-event.js'
import type { FeedReading } from '../../usecases/event-feed.js'
import { keepPrivate } from '../pages.js'
import { EventHeaders, EventPage, type EventQuery, EventQuery as Query } from './schemas.js'
import { streamEvents } from './stream.js'

/** What happened, told: as pages, and as a stream. */
export const eventRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.authenticate)
  keepPrivate(app)

  app.get('/events', {
    config: {
      problems: ['bad_cursor', 'order_not_found', 'order_not_visible_yet', 'too_many_streams', 'busy'],
      answers: { 200: { description: 'A page of events, or a stream of them' } }
    },
    schema: {
      tags: ['events'],
      operationId: 'listEvents',
      summary: 'What happened to orders, in the order in which it was settled',
      description: 'Customers are told what happened to their own orders; operators everything. Each event is told at least once, those of one order in the order of their versions. ' +
        `With \`Accept: ${EVENT_STREAM}\` the answer is a stream of server-sent events that ends with the token: \`id\` is the position, \`event\` the type, \`data\` the event. A page may be short, or empty, before the end: go on behind \`next_after\`.`,
      querystring: Query,
      headers: EventHeaders,
      response: {
        200: {
          content: {
            'application/json': { schema: EventPage },
            [EVENT_STREAM]: { schema: Type.String({ description: 'Server-sent events (HTML Living Standard, section 9.2)' }) }
          }
        }
      }
    }
  }, async (request, reply) => {
    const streams = acceptsStream(request.headers.accept)
    const { after = streams ? 'now' : undefined, order_id, type } = request.query
    const from = streams ? request.headers['last-event-id'] ?? after : after
    const reading = await app.eventFeed.begin({ after: from, order_id: order_id?.toLowerCase(), happenings: happeningsOf(type) }, app.callerOf(request))
    if (!streams) return await page(request, reply as FastifyReply, reading, request.query)
    if (request.method === 'HEAD') return await (reply as FastifyReply).type(EVENT_STREAM).send('')
    return streamEvents(request, reply as FastifyReply, reading)
  })

  async function page (request: FastifyRequest, reply: FastifyReply, { after, selection }: FeedReading, { limit, wait }: EventQuery): Promise<EventPage> {
    const { events, next } = await app.feedReader.page(after, limit, selection)
    if (events.length > 0 || next > after || wait === 0 || request.method === 'HEAD') return shown(events, next)
    const told = await waited(request, reply, { after, selection }, wait * 1000)
    return shown(told.slice(0, limit), told.slice(0, limit).at(-1)?.position ?? next)
  }

  /** What happens next, within this time; none where nothing does, or the client leaves. */
  async function waited (request: FastifyRequest, reply: FastifyReply, { after, selection }: FeedReading, ms: number): Promise<readonly FeedEvent[]> {
    const listener = app.listeners.enter(app.callerOf(request), ms)
    reply.raw.once('close', () => listener.leave())
    try {
      reply.raw.setTimeout(ms + 5000, () => reply.raw.destroy()) // the server's own limit is shorter
      const { value } = await app.followFeed(after, selection, listener.signal).next()
      return value ?? []
    } finally {
      listener.leave()
    }
  }
}

function shown (events: readonly FeedEvent[], next_after: number): EventPage {
  return { items: events.map(cloudEventOf), next_after }
}

function happeningsOf (types: string | undefined): ReadonlySet<Happening> | undefined {
  if (types === undefined) return undefined
  return new Set(types.split(',').map((type) => HAPPENINGS[(FEED_TYPES as readonly string[]).indexOf(type)]!))
}
