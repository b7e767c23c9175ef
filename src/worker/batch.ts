import type { ViewToPut } from '../cache/order-views.js'
import { type Decision, extendChain, type Outcome } from '../orders/chain.js'
import type { OrderEvent } from '../orders/event.js'
import { type OrderView, persistedView } from '../orders/view.js'
import type { Client } from '../store/database.js'
import { recordedEvents, recordEvents } from '../store/order-events.js'
import { insertPlacements, lockOrders, updateOrders } from '../store/orders.js'

/** What a batch came to, once its transaction is committed. */
export interface Applied {
  /** One for each event that was not known before, or that waited and waits no more. */
  decisions: Decision[]
  /** Events that were applied or rejected before. */
  duplicates: number
  /** What readers should see now, for duplicates too: a view may have been lost. */
  views: ViewToPut[]
}

/**
 * Applies order events inside the caller's transaction, in a handful of statements whatever their number.
 * The plain road is two: all placements into `orders`, all events into `order_events`. What does not go it (duplicates,
 * rivals, changes) is folded along its order's chain under the locks of the rows.
 * @param revisit further orders whose waiting events are tried again
 */
export async function applyBatch (client: Client, given: readonly OrderEvent[], revisit: readonly string[] = []): Promise<Applied> {
  const events = [...new Map(given.map((event) => [event.event_id, event])).values()]
  const placements = [...new Map(events.filter(({ base }) => base === null).reverse().map((event) => [event.order.order_id, event])).values()]
  const placed = placements.length > 0 ? await insertPlacements(client, placements) : new Set<string>()
  const fresh = placements.filter(({ event_id }) => placed.has(event_id))
  const rest = events.filter(({ event_id }) => !placed.has(event_id))
  const folded = rest.length + revisit.length > 0 ? await foldChains(client, rest, fresh, revisit) : NOTHING
  const decisions = [...fresh.map((event): Decision => ({ event, outcome: 'applied' })), ...folded.decisions]
  if (decisions.length > 0) await recordEvents(client, decisions.sort(byOrder))
  return {
    decisions,
    duplicates: given.length - fresh.length - folded.unseen,
    views: [...fresh.filter(({ order }) => !folded.orders.has(order.order_id)).map((event) => ({ view: persistedView(event) })), ...folded.views]
  }
}

interface Folded {
  decisions: Decision[]
  /** How many of the decisions are about events never seen before. */
  unseen: number
  views: ViewToPut[]
  orders: Set<string>
}

const NOTHING: Folded = { decisions: [], unseen: 0, views: [], orders: new Set() }

async function foldChains (client: Client, events: readonly OrderEvent[], fresh: readonly OrderEvent[], revisit: readonly string[]): Promise<Folded> {
  const orders = new Set([...events.map(({ order }) => order.order_id), ...revisit])
  const rows = await lockOrders(client, [...orders])
  const named = new Set(events.flatMap(({ event_id, base }) => base === null ? [event_id] : [event_id, base]))
  const { outcomes, waiting } = await recordedEvents(client, [...named], [...orders])
  for (const { event_id } of fresh) outcomes.set(event_id, 'applied')
  const folded: Folded = { decisions: [], unseen: 0, views: [], orders }
  const lasts: OrderView[] = []
  for (const [orderId, ofOrder] of groupByOrder([...events, ...waiting])) {
    const row = rows.get(orderId)
    const { last, decisions } = extendChain(headOf(row), ofOrder, (eventId) => outcomes.get(eventId))
    if (last) lasts.push(persistedView(last))
    folded.decisions.push(...decisions.filter((decision) => isNews(decision, outcomes)))
    folded.views.push(...viewsOf(last ? persistedView(last) : row, decisions))
  }
  if (lasts.length > 0) await updateOrders(client, lasts)
  folded.unseen = folded.decisions.filter(({ event }) => !outcomes.has(event.event_id)).length
  return folded
}

function groupByOrder (events: readonly OrderEvent[]): Map<string, OrderEvent[]> {
  const groups = new Map<string, OrderEvent[]>()
  for (const event of events) {
    const group = groups.get(event.order.order_id)
    if (group) group.push(event)
    else groups.set(event.order.order_id, [event])
  }
  return groups
}

function headOf (row: OrderView | undefined): { event_id: string, version: number } | null {
  return row ? { event_id: row.event_id, version: row.order.version } : null
}

function isNews ({ event, outcome }: Decision, before: Map<string, Outcome>): boolean {
  return outcome !== before.get(event.event_id)
}

/** The row's view, once for every rejected event whose own view it replaces. */
function viewsOf (view: OrderView | undefined, decisions: readonly Decision[]): ViewToPut[] {
  if (!view) return []
  const rejected = decisions.filter(({ outcome }) => outcome === 'rejected')
  return rejected.length === 0 ? [{ view }] : rejected.map(({ event }) => ({ view, replaces: event.event_id }))
}

/** One order for everybody, so that two workers never wait for each other in a circle. */
function byOrder (a: Decision, b: Decision): number {
  const [one, other] = [a.event.order, b.event.order]
  return one.order_id === other.order_id ? one.version - other.version : one.order_id < other.order_id ? -1 : 1
}
