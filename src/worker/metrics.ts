import type { QueueGroup } from '../broker/management.js'
import type { Progress } from '../health/progress.js'
import { EVENTS, LONG_SECONDS, type Reading, SECONDS } from '../metrics/histogram.js'
import type { Metrics } from '../metrics/metrics.js'
import type { ParkedEvent } from '../store/parked-events.js'
import type { Follower } from './commits.js'
import type { OrderMessage } from './order-messages.js'

/** Tables and the management API are asked at most this often, however many scrape. */
const ASK_MS = 5000

/** What comes of the batches: one or two numbers each, and one observation an order. */
export function measuringFollower (metrics: Metrics): Follower {
  const outcomes = { applied: 0, waiting: 0, rejected: 0, duplicate: 0 }
  const parked: Record<ParkedEvent['source'], number> = { queue: 0, fallback: 0, dead: 0 }
  const sizes = metrics.histogram('comanda_batch_events', 'Order events in a batch that was committed', EVENTS)
  const seconds = metrics.histogram('comanda_batch_persist_seconds', "A batch's transaction, from its begin to its commit", SECONDS)
  const delays = metrics.histogram('comanda_order_event_delay_seconds', 'From the acceptance of an order event, by the clock of its api, to the commit of its row', LONG_SECONDS)
  metrics.counter('comanda_order_events_booked_total', 'Order events, by what became of them; one that waited is counted again when it waits no more', readingsOf('outcome', outcomes))
  metrics.counter('comanda_events_parked_total', 'Events put into the parking lot, by where they came from', readingsOf('source', parked))
  return {
    onCommitted ({ decisions, duplicates, refused = 0, parked: added = [] }, line, ms) {
      for (const { source } of added) parked[source]++
      if (line === null) return
      const now = Date.now()
      let [moment, delay] = ['', 0]
      for (const { event, outcome } of decisions) {
        outcomes[outcome]++
        if (outcome !== 'applied') continue
        // Under load many in a row were accepted in the same millisecond; reading its text is most of what this costs.
        if (event.occurred_at !== moment) [moment, delay] = [event.occurred_at, Math.max(0, now - Date.parse(event.occurred_at)) / 1000]
        delays.observe(delay)
      }
      outcomes.duplicate += duplicates
      outcomes.rejected += refused
      sizes.observe(decisions.length + duplicates + refused)
      seconds.observe(ms / 1000)
    }
  }
}

function readingsOf (label: string, counts: Record<string, number>): () => Reading[] {
  return () => Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }))
}

interface Sources {
  orders: { retried: number, oldest: OrderMessage | null }
  dead: { retried: number }
  fallback: { retried: number }
}

/** What `Progress` saw when it last looked, a second ago at most. */
export function registerBacklogMetrics (metrics: Metrics, progress: Progress, sources: Sources): void {
  type Seen = ReturnType<Progress['report']>['sources'][string]
  const seen = (read: (seen: Seen) => number) => () => Object.entries(progress.report().sources).map(([source, own]): Reading => ({ labels: { source }, value: read(own) }))
  metrics.gauge('comanda_backlog_ready', 'What waits: messages in a queue that no worker holds, rows of the fallback queue counted to 1000', seen(({ ready }) => ready))
  metrics.gauge('comanda_backlog_unsettled', 'Messages that this worker holds', seen(({ unsettled }) => unsettled))
  metrics.gauge('comanda_backlog_idle_seconds', 'Since something was last settled', seen(({ idle_ms }) => idle_ms / 1000))
  metrics.gauge('comanda_backlog_stuck', '1 while there is something to do and nothing has been done for long', seen(({ stuck }) => stuck ? 1 : 0))
  metrics.gauge('comanda_backlog_deferred', 'Events that wait for a worker of a newer release, counted to 1000', () =>
    Object.entries(progress.report().sources).flatMap(([source, { deferred }]) => deferred === undefined ? [] : [{ labels: { source }, value: deferred }]))
  metrics.gauge('comanda_backlog_oldest_seconds', 'Since the oldest event was accepted that this worker holds and has not booked; 0 for none', () => [{ labels: { source: 'orders' }, value: ageOf(sources.orders.oldest) }])
  metrics.counter('comanda_batches_retried_total', 'Batches that failed for a passing reason and were tried again', () =>
    Object.entries(sources).map(([source, { retried }]) => ({ labels: { source }, value: retried })))
}

function ageOf (message: OrderMessage | null): number {
  const first = message?.events.find((one) => 'event' in one)
  return first ? Math.max(0, Date.now() - Date.parse(first.event.occurred_at)) / 1000 : 0
}

export interface Depths {
  fallback: { rows: number, oldest_seconds: number | null }
  parked: number
}

/** @param ask null: the tables cannot be asked, which is told by no number at all @param askMs at most once in this time */
export function registerTableMetrics (metrics: Metrics, ask: () => Promise<Depths | null>, askMs = ASK_MS): void {
  const depths = recently(ask, askMs)
  const seen = (read: (depths: Depths) => number) => async () => {
    const known = await depths()
    return known ? [{ value: read(known) }] : []
  }
  metrics.gauge('comanda_fallback_queue_rows', 'Rows of the fallback queue, counted to 100,000', seen(({ fallback }) => fallback.rows))
  metrics.gauge('comanda_fallback_queue_oldest_seconds', 'Age of the oldest row of the fallback queue; 0 for none', seen(({ fallback }) => fallback.oldest_seconds ?? 0))
  metrics.gauge('comanda_parked_events', 'Events in the parking lot that no operator has dealt with', seen(({ parked }) => parked))
}

/** @param ask by the queue's name; null: the management API cannot be asked */
export function registerQueueMetrics (metrics: Metrics, ask: () => Promise<Record<string, QueueGroup> | null>, askMs = ASK_MS): void {
  const groups = recently(ask, askMs)
  const seen = (read: (group: QueueGroup, queue: string) => Reading[]) => async () =>
    Object.entries(await groups() ?? {}).flatMap(([queue, group]) => read(group, queue))
  metrics.gauge('comanda_queue_members', 'Nodes that hold a queue, by whether they take part now', seen(({ members, online }, queue) => [
    { labels: { queue, state: 'online' }, value: online.length },
    { labels: { queue, state: 'offline' }, value: members.length - online.length }
  ]))
  metrics.gauge('comanda_queue_leader', '1 for the node that leads a queue; none while it has no leader', seen(({ leader }, queue) => leader === null ? [] : [{ labels: { queue, node: leader }, value: 1 }]))
}

/** What `ask` told last, asked at most once in `ms`; null where it failed. */
function recently<T> (ask: () => Promise<T | null>, ms: number): () => Promise<T | null> {
  let asked: Promise<T | null> = Promise.resolve(null)
  let askedAt = -Infinity
  return async () => {
    if (performance.now() - askedAt >= ms) {
      askedAt = performance.now()
      asked = ask().catch(() => null)
    }
    return await asked
  }
}
