import fp from 'fastify-plugin'
import { follow } from '../feed/follow.js'
import { FeedReader } from '../feed/reader.js'
import { Tail } from '../feed/tail.js'
import { Listeners } from '../http/listeners.js'
import type { FeedEvent, FeedSelection } from '../orders/feed-event.js'
import { highestPosition, readFeed } from '../store/feed.js'
import { EventFeed } from '../usecases/event-feed.js'

declare module 'fastify' {
  interface FastifyInstance {
    eventFeed: EventFeed
    feedReader: FeedReader
    listeners: Listeners
    /** Everything behind a position as it happens, until the signal. @throws StoreError */
    followFeed (after: number, selection: FeedSelection, signal: AbortSignal): AsyncGenerator<readonly FeedEvent[]>
  }
}

/** The feed of what happened to orders, and those who listen to it. */
export const feedPlugin = fp(async (app) => {
  const { metrics, revocations } = app
  const reader = new FeedReader({ read: async (window) => await readFeed(app.requestPool(), window) })
  const tail = new Tail({ port: { read: async (window) => await readFeed(app.reservedPool, window) } })
  const listeners = new Listeners({ isOver: (session) => revocations.isRevoked(session) && revocations.isOver(session) })
  app.decorate('feedReader', reader)
  app.decorate('listeners', listeners)
  app.decorate('followFeed', (after: number, selection: FeedSelection, signal: AbortSignal) => follow({ reader, tail }, after, selection, signal))
  app.decorate('eventFeed', new EventFeed(app.orderReader, { end: async () => await reader.end(), highest: async () => await highestPosition(app.requestPool()) }))
  metrics?.gauge('comanda_event_listeners', 'Event streams and requests that wait for events', () => [{ value: listeners.size }])
  app.addHook('preClose', async () => listeners.close())
}, { name: 'feed', dependencies: ['metrics', 'postgres', 'revocations', 'auth', 'order-usecases'] })
