import { type Decision, extendChain } from '../../../src/orders/chain.js'
import type { OrderEvent } from '../../../src/orders/event.js'
import { confirmed, type Order } from '../../../src/orders/order.js'
import type { OrderFilter } from '../../../src/orders/page.js'
import type { TimelineEnd, TimelineEntry } from '../../../src/orders/timeline.js'
import { acceptedView, higher, type OrderView, persistedView } from '../../../src/orders/view.js'
import type { OrdersPort } from '../../../src/usecases/ports.js'
import { storeAway } from './store-away.js'

type Recorded = (Exclude<Decision, { outcome: 'rejected' }> | { event: OrderEvent, outcome: 'rejected', reason: string }) & { at: string }

/** Rows, recorded events and the fallback queue, and what a worker does to them. */
export class MemoryOrders implements OrdersPort {
  /** How often it was asked. */
  asked = 0
  #away = false
  /** The last applied event of each order. */
  readonly #heads = new Map<string, OrderEvent>()
  readonly #recorded = new Map<string, Recorded>()
  readonly #queue = new Map<string, OrderEvent>()

  async find (orderId: string, eventId: string | null): Promise<{ view: OrderView | null, rejected: boolean }> {
    this.#ask()
    const head = this.#heads.get(orderId)
    const queued = this.#ofOrder(this.#queue.values(), orderId).sort(byVersion).at(-1)
    const known = higher(head ? persistedView(head) : null, queued ? acceptedView(queued) : null)
    const rejected = eventId !== null && this.#recorded.get(eventId)?.outcome === 'rejected'
    return { view: known ?? this.#rejectedPlacement(orderId), rejected }
  }

  #rejectedPlacement (orderId: string): OrderView | null {
    for (const { event, ...rest } of this.#recorded.values()) {
      if (event.order.order_id !== orderId || event.base !== null || rest.outcome !== 'rejected') continue
      return { order: { ...event.order, status: 'rejected', reason: rest.reason }, event_id: event.event_id, persisted: true }
    }
    return null
  }

  async list ({ limit, user_id: user, status, created_from: from = '', created_to: to = '~', after }: OrderFilter): Promise<Order[]> {
    this.#ask()
    const place = ({ created_at: at, order_id: id }: Pick<Order, 'created_at' | 'order_id'>) => `${at} ${id}`
    return [...this.#heads.values()].map((event) => confirmed(event.order))
      .filter((order) => (user === undefined || order.user_id === user) && (status === undefined || order.status === status))
      .filter((order) => order.created_at >= from && order.created_at < to && (after === undefined || place(order) < place(after)))
      .sort((a, b) => place(a) < place(b) ? 1 : -1)
      .slice(0, limit)
  }

  async timeline (orderId: string, taken: readonly OrderEvent[], { limit, after }: { limit: number, after: TimelineEnd | undefined }): Promise<TimelineEntry[]> {
    this.#ask()
    const events = new Map([...taken, ...this.#queue.values(), ...[...this.#recorded.values()].map(({ event }) => event)].map((event) => [event.event_id, event]))
    const place = (end: TimelineEnd) => `${String(end.version).padStart(10, '0')} ${end.event_id}`
    return this.#ofOrder(events.values(), orderId).map((event) => entryOf(event, this.#recorded.get(event.event_id)))
      .filter((entry) => after === undefined || place(entry) > place(after))
      .sort((a, b) => place(a) < place(b) ? -1 : 1)
      .slice(0, limit)
  }

  /** Applies these events, as they come, and those that waited for them. */
  book (events: readonly OrderEvent[]): void {
    for (const orderId of new Set(events.map(({ order }) => order.order_id))) {
      const head = this.#heads.get(orderId)
      const waiting = [...this.#recorded.values()].filter(({ outcome }) => outcome === 'waiting').map(({ event }) => event)
      const { last, decisions } = extendChain(
        head ? { event_id: head.event_id, order: confirmed(head.order) } : null,
        this.#ofOrder([...events, ...waiting], orderId),
        (eventId) => this.#recorded.get(eventId)?.outcome)
      if (last) this.#heads.set(orderId, last)
      for (const decision of decisions) this.#recorded.set(decision.event.event_id, { ...decision, at: new Date().toISOString() })
    }
    for (const { event_id: id } of events) this.#queue.delete(id)
  }

  enqueue (events: readonly OrderEvent[]): void {
    for (const event of events) this.#queue.set(event.event_id, event)
  }

  /** Records it as rejected, for a reason outside the chain. */
  refuse (event: OrderEvent, reason: string): void {
    this.#recorded.set(event.event_id, { event, outcome: 'rejected', reason, at: new Date().toISOString() })
  }

  outcomeOf (eventId: string): string | undefined {
    return this.#recorded.get(eventId)?.outcome
  }

  cut (): void {
    this.#away = true
  }

  #ask (): void {
    this.asked++
    if (this.#away) throw storeAway()
  }

  #ofOrder (events: Iterable<OrderEvent>, orderId: string): OrderEvent[] {
    return [...events].filter(({ order }) => order.order_id === orderId)
  }
}

function entryOf ({ event_id, type, base, order, occurred_at, request_id, actor }: OrderEvent, recorded: Recorded | undefined): TimelineEntry {
  const { item_description, item_quantity, item_price, total_value, status } = recorded?.outcome === 'applied' ? confirmed(order) : order
  return {
    event_id,
    type,
    version: order.version,
    base,
    outcome: recorded?.outcome ?? 'accepted',
    ...(recorded?.outcome === 'rejected' ? { reason: recorded.reason } : {}),
    occurred_at,
    recorded_at: recorded?.at ?? null,
    request_id,
    actor: actor ?? null,
    order: { item_description, item_quantity, item_price, total_value, status }
  }
}

function byVersion (a: OrderEvent, b: OrderEvent): number {
  return a.order.version - b.order.version
}
