import type { FastifyReply, FastifyRequest } from 'fastify'
import { cloudEventJson } from '../../feed/cloud-event.js'
import { EventStream, frameOf } from '../../http/event-stream.js'
import type { Ended } from '../../http/listeners.js'
import { logLine } from '../../logs/log-line.js'
import { type FeedEvent, happeningOf } from '../../orders/feed-event.js'
import type { FeedReading } from '../../usecases/event-feed.js'

/** An event is written to many streams, and serialized once. */
const frames = new WeakMap<FeedEvent, string>()

/**
 * Answers by a stream, until the client leaves, does not read, or its token or session is over. The reply is out of Fastify's hands
 * from here on. @throws ProblemError `busy`, `too_many_streams`, before anything is written
 */
export function streamEvents (request: FastifyRequest, reply: FastifyReply, reading: FeedReading): FastifyReply {
  const { server } = request
  const caller = server.callerOf(request)
  const listener = server.listeners.enter(caller, server.tokenMsLeft(request))
  reply.raw.once('close', () => listener.leave())
  request.quiet = true
  const stream = new EventStream(reply.hijack().raw, { ...reply.getHeaders() as Record<string, string>, ...server.answerHeadersOf(request) })
  let told = 0
  const tell = async (): Promise<Ended | 'unread'> => {
    for await (const events of server.followFeed(reading.after, reading.selection, listener.signal)) {
      if (!await stream.write(events.map(frame).join(''))) return listener.ended ?? 'unread'
      told += events.length
    }
    return listener.ended ?? 'closing'
  }
  void tell().catch(() => 'unavailable' as const).then((reason) => {
    stream.end()
    listener.leave()
    logLine(request.log, { event: 'stream_ended', user_id: caller.user_id, duration_ms: Math.round(reply.elapsedTime), events: told, reason })
  })
  return reply
}

function frame (event: FeedEvent): string {
  const known = frames.get(event)
  if (known !== undefined) return known
  const made = frameOf({ id: event.position, event: `comanda.order.${happeningOf(event)}`, data: cloudEventJson(event) })
  frames.set(event, made)
  return made
}
