import type { ViewToPut } from '../cache/view-to-put.js'
import { type Decision, extendChain, type Outcome } from '../orders/chain.js'
import type { OrderEvent } from '../orders/event.js'
import { type OrderView, persistedView } from '../orders/view.js'
import type { Client } from '../store/database.js'
import { recordedEvents, recordEvents } from '../store/order-events.js'
import { insertPlacements, lockOrders, updateOrders } from '../store/orders.js'
import type { ParkedEvent } from '../store/parked-events.js'
import { bookPlacements } from '../store/placements.js'

/** What a batch came to, once its transaction is committed. */
export interface Applied {
  /** One for each event that was not known before, or that waited and waits no more. */
  decisions: Decision[]
  /** Events that were applied or rejected before. */
  duplicates: number
  /** Events recorded as rejected for a reason outside the chain. */
  refused?: number
  /** Placements that were applied and that nothing else of this batch is about. */
  placed?: readonly OrderEvent[]
  /** What readers should see now of all other orders, for duplicates too: a view may have been lost. */
  views: ViewToPut[]
  /** What was put into the parking lot. */
  parked?: readonly ParkedEvent[]
}

/** Placements whose order no other of these events is about, and whose id no other has; and all others, in the order in which they came. */
export function setApart (events: readonly OrderEvent[]): { plain: OrderEvent[], rest: OrderEvent[] } {
  const orders = new Counts()
  const ids = new Counts()
  for (const { order, event_id } of events) {
    orders.add(order.order_id)
    ids.add(event_id)
  }
  const isPlain = ({ base, order, event_id }: OrderEvent) => base === null && orders.isOne(order.order_id) && ids.isOne(event_id)
  const [plain, rest]: OrderEvent[][] = [[], []]
  for (const event of events) (isPlain(event) ? plain! : rest!).push(event)
  return { plain: plain!, rest: rest! }
}

class Counts {
  readonly #of = new Map<string, number>()

  add (id: string): void {
    this.#of.set(id, (this.#of.get(id) ?? 0) + 1)
  }

  isOne (id: string): boolean {
    return this.#of.get(id) === 1
  }
}

/**
 * Books placements that were set apart, in one statement that commits by itself.
 * @returns `applied`: null where none of them became a row; `left`: those whose orders had one
 */
export async function placePlain (client: Client, plain: readonly OrderEvent[]): Promise<{ applied: Applied | null, left: readonly OrderEvent[] }> {
  const booked = await bookPlacements(client, plain)
  const all = booked.size === plain.length
  const placed = all ? plain : plain.filter(({ event_id }) => booked.has(event_id))
  const left = all ? [] : plain.filter(({ event_id }) => !booked.has(event_id))
  if (placed.length === 0) return { applied: null, left }
  return { applied: { decisions: placed.map((event) => ({ event, outcome: 'applied' })), duplicates: 0, placed, views: [] }, left }
}

/**
 * Applies order events inside the caller's transaction, in a handful of statements whatever their number.
 * The plain path is two: all placements into `orders`, all events into `order_events`. What does not go it (duplicates,
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
  if (decisions.length > 0) await recordEvents(client, decisions.sort(byVersion))
  return {
    decisions,
    duplicates: given.length - fresh.length - folded.unseen,
    placed: fresh.filter(({ order }) => !folded.orders.has(order.order_id)),
    views: folded.views
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
  const rowless: OrderEvent[] = []
  for (const [orderId, ofOrder] of groupByOrder([...events, ...waiting])) {
    const row = rows.get(orderId)
    const { last, decisions } = extendChain(row ?? null, ofOrder, (eventId) => outcomes.get(eventId))
    if (last) lasts.push(persistedView(last))
    folded.decisions.push(...decisions.filter((decision) => isNews(decision, outcomes)))
    const losers = [...decisions.filter(({ outcome }) => outcome === 'rejected').map(({ event }) => event), ...ofOrder.filter(({ event_id }) => outcomes.get(event_id) === 'rejected')]
    const view = last ? persistedView(last) : row
    if (view) folded.views.push(...viewsOf(view, losers))
    else rowless.push(...losers)
  }
  if (lasts.length > 0) await updateOrders(client, lasts)
  if (rowless.length > 0) folded.views.push(...await viewsOfLate(client, rowless))
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

function isNews ({ event, outcome }: Decision, before: Map<string, Outcome>): boolean {
  return outcome !== before.get(event.event_id)
}

/** For events that lost in orders whose rows another worker booked since the rows were read. */
async function viewsOfLate (client: Client, losers: readonly OrderEvent[]): Promise<ViewToPut[]> {
  const rows = await lockOrders(client, losers.map(({ order }) => order.order_id))
  return losers.flatMap((loser) => {
    const row = rows.get(loser.order.order_id)
    return row ? viewsOf(row, [loser]) : []
  })
}

/** The row's view, once for every rejected event whose own view it replaces. */
function viewsOf (view: OrderView, rejected: readonly OrderEvent[]): ViewToPut[] {
  return rejected.length === 0 ? [{ view }] : rejected.map(({ event_id }) => ({ view, replaces: event_id }))
}

/** The order of the feed within an order. */
function byVersion (a: Decision, b: Decision): number {
  return a.event.order.version - b.event.order.version || (a.event.event_id < b.event.event_id ? -1 : 1)
}
