import type { OrderInput } from '../src/orders/order.js'
import type { Seen } from '../testkit/clients/answers.js'
import type { Op } from './history.js'
import type { EventRow, OrderRow, Tables } from './tables.js'

/** A placement that was answered 202. */
export interface Accepted {
  op: Op
  order_id: string
  shown: Seen
}

/** The history and the tables, found again by what they have in common. */
export class Books {
  readonly ops: readonly Op[]
  readonly tables: Tables
  readonly rows: ReadonlyMap<string, OrderRow>
  readonly rowsByToken: ReadonlyMap<string, OrderRow[]>
  /** Every order id that a placement was answered with. */
  readonly ordersByToken: ReadonlyMap<string, Set<string>>
  readonly accepted: readonly Accepted[]
  readonly #eventsByOrder: Map<string, EventRow[]>
  readonly #opsByRequest: Map<string, Op[]>
  readonly #placements: Map<string, Op[]>

  constructor (ops: readonly Op[], tables: Tables) {
    this.ops = ops
    this.tables = tables
    this.rows = new Map(tables.orders.map((row) => [row.order_id, row]))
    this.rowsByToken = grouped(tables.orders, tokenOf)
    this.#eventsByOrder = grouped(tables.events, ({ order_id }) => order_id)
    this.#opsByRequest = grouped(ops, ({ request_id }) => request_id)
    this.#placements = grouped(ops.filter(({ token }) => token !== undefined), ({ token }) => token!)
    this.accepted = ops.flatMap((op) => op.kind === 'place' && op.outcome === 'ok' ? op.seen.map((shown) => ({ op, order_id: shown.order_id, shown })) : [])
    const orders = new Map<string, Set<string>>()
    for (const { op, order_id } of this.accepted) orders.set(op.token!, (orders.get(op.token!) ?? new Set()).add(order_id))
    this.ordersByToken = orders
  }

  eventsOf (orderId: string): readonly EventRow[] {
    return this.#eventsByOrder.get(orderId) ?? []
  }

  /** The ops sent under this id: several for a batch. */
  attempts (requestId: string): readonly Op[] {
    return this.#opsByRequest.get(requestId) ?? []
  }

  /** Whether this user asked for this very order, and was not refused every time. */
  wasAttempted (row: Pick<OrderRow, 'item_description' | 'user_id' | 'order_id'>): boolean {
    const token = tokenOf(row)
    const attempts = this.#placements.get(token) ?? []
    return attempts.some(({ user_id, outcome }) => user_id === row.user_id && outcome !== 'fail')
  }

  /** What was asked for by the placement of this order. */
  lineOf (row: Pick<OrderRow, 'item_description'>): OrderInput | undefined {
    return this.#placements.get(tokenOf(row))?.[0]?.line
  }
}

/** The second word of the description: placements are told apart by it. */
export function tokenOf ({ item_description }: Pick<OrderRow, 'item_description'>): string {
  return item_description.split(' ')[1] ?? ''
}

export function grouped<T> (items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}

export function contains (whole: object, part: object): boolean {
  return Object.entries(part).every(([name, value]) => (whole as Record<string, unknown>)[name] === value)
}

/** Whether this event left the order as it was shown; persisting it turns `accepted` into `confirmed`. */
export function leaves ({ version, data }: EventRow, { item_description, item_quantity, item_price, ...shown }: Seen): boolean {
  const sameStatus = data.status === shown.status || (data.status === 'accepted' && shown.status === 'confirmed')
  return version === shown.version && sameStatus && contains(data, { item_description, item_quantity, item_price })
}

export function moment (ms: number): string {
  return new Date(ms).toISOString()
}
