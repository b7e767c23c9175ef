import type { Op } from '../../drill/history.js'
import type { EventRow, OrderRow, Tables } from '../../drill/tables.js'
import type { Told, Way } from '../../drill/telling.js'
import { keyedEventId } from '../../src/orders/identity.js'
import type { OrderInput } from '../../src/orders/order.js'
import type { Seen } from '../../testkit/clients/answers.js'

const START = Date.parse('2026-11-24T12:00:00.000Z')

/** A small history with its tables, right in everything: what a test spoils is its own. */
export class Planted {
  readonly ops: Op[] = []
  readonly tables: Tables = { orders: [], events: [], fallback: [], parked: [] }
  #position = 0
  #at = START

  constructor () {
    this.place('c1-1', { key: 'key-c1-1' })
    this.place('c1-2')
    this.place('c2-1', { client: 'c2', user_id: 2 })
  }

  /** A placement, answered 202 and booked, and its owner's look at it. */
  place (token: string, more: Partial<Op> = {}): Seen {
    const line = { item_description: `drill ${token}`, item_quantity: 2, item_price: 500 }
    const shown = { order_id: idOf(token), ...line, total_value: 1000, status: 'accepted', version: 1 }
    this.op({ kind: 'place', token, line, seen: [shown], status: 202, ...more })
    this.event('order.placed', shown, null, this.ops.at(-1)!)
    return this.read(token, more)
  }

  /** An amendment, answered 202 and applied. */
  amend (token: string, change: Partial<OrderInput>): Op {
    const before = this.row(token)
    const after = { ...before, ...change, version: before.version + 1 }
    const shown = seenOf({ ...after, total_value: after.item_quantity * after.item_price })
    const op = this.op({ kind: 'amend', order_id: shown.order_id, change, seen: [shown], status: 202 })
    this.event('order.amended', shown, before.event_id, op)
    return op
  }

  read (token: string, more: Partial<Op> = {}): Seen {
    const shown = seenOf(this.row(token))
    this.op({ kind: 'read', order_id: shown.order_id, status: 200, ...more, seen: [shown] })
    return shown
  }

  row (token: string): OrderRow {
    return this.tables.orders.find(({ order_id }) => order_id === idOf(token))!
  }

  /** As if it had never reached Postgres. */
  lose (token: string): void {
    const gone = ({ order_id }: { order_id: string }) => order_id !== idOf(token)
    this.tables.orders = this.tables.orders.filter(gone)
    this.tables.events = this.tables.events.filter(gone)
  }

  op (given: Partial<Op>): Op {
    const op = this.ops.length + 1
    const at = this.#tick()
    const whole: Op = { op, at, ended: this.#tick(), client: 'c1', user_id: 1, request_id: `drill-${op}`, kind: 'read', outcome: 'ok', status: 200, problem: '', seen: [], ...given }
    this.ops.push(whole)
    return whole
  }

  event (type: string, shown: Seen, base: string | null, { request_id, user_id }: Op): EventRow {
    const event_id = idOf(`${shown.order_id} ${shown.version} ${request_id}`)
    const data = { ...shown, user_id, event_id }
    const event: EventRow = { event_id, order_id: shown.order_id, version: shown.version, base, type, data, request_id, outcome: 'applied', reason: null, position: this.#position += 2, reopened: 0, committed: this.#tick() }
    this.tables.events.push(event)
    this.tables.orders = this.tables.orders.filter(({ order_id }) => order_id !== shown.order_id)
    this.tables.orders.push({ ...data, status: shown.status === 'accepted' ? 'confirmed' : shown.status })
    return event
  }

  /** What both listeners are told where everything is right. */
  telling (): Record<Way, Told[]> {
    const told = new Map(this.tables.events.filter(({ outcome }) => outcome !== 'waiting').map((event) => [event.event_id, this.#told(event)]))
    const inOrder = [...told.values()].sort((a, b) => a.position - b.position)
    return { exchange: [...inOrder], stream: [...inOrder], webhook: [...inOrder] }
  }

  #told ({ event_id: id, type, order_id, version, position, outcome, data: { status } }: EventRow): Told {
    const applied = type === 'order.amended' ? 'amended' : status === 'accepted' ? 'confirmed' : status
    const what = outcome === 'applied' ? applied : type === 'order.placed' ? 'rejected' : 'change_rejected'
    return { id, type: `comanda.order.${what}`, order_id, version, position: position!, at: this.#tick() }
  }

  #tick (): number {
    this.#at += 10
    return this.#at
  }
}

/** Any text's own id, always the same. */
export function idOf (text: string): string {
  return keyedEventId(text, { item_description: '', item_quantity: 0, item_price: 0 })
}

function seenOf ({ order_id, item_description, item_quantity, item_price, total_value, status, version }: OrderRow): Seen {
  return { order_id, item_description, item_quantity, item_price, total_value, status, version }
}
