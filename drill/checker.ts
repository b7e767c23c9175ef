import type { Seen } from '../testkit/clients/answers.js'
import { Books, contains, leaves, moment } from './books.js'
import { checkChains } from './chains.js'
import type { Op } from './history.js'
import { checkReaders } from './readers.js'
import type { EventRow, OrderRow, Tables } from './tables.js'
import { checkTelling, type Telling } from './telling.js'

/** What must not be; each is a violation of the promise. */
export const VERDICTS = {
  lost: 'accepted placements with neither a row nor a rejection to be seen',
  doubled: 'placements with more than one order, keys with more than one, changes applied more than once',
  wrong_totals: 'totals that are not quantity x price',
  broken_chains: 'orders whose applied events are not one chain that ends in the row',
  unexplained: 'rows and applied events that nobody asked for, or only in vain',
  changed: 'orders that are not what was accepted',
  lost_changes: 'accepted changes that were neither applied nor recorded as rejected',
  vanished: 'accepted orders answered as never heard of',
  regressed: 'readers sent back behind a version they saw persisted',
  parked: 'events in the parking lot',
  untold: 'settled events that the exchange, the stream or the webhook did not tell',
  invented: 'told events that are not what the tables say',
  misplaced: 'told events whose sequence, or version of their order, descends on first sight',
  retold: 'events that the stream told twice'
} as const
export type Verdict = keyof typeof VERDICTS

/** One line of evidence for each violation. */
export type Verdicts = Record<Verdict, string[]>

/**
 * Judges a history against the tables after everything has drained. Pure: all it knows is in its arguments.
 * An op counts as asked for unless it ended in `fail`; a placement is ok if any of its attempts was.
 */
export function check (ops: readonly Op[], tables: Tables, telling: Telling): Verdicts {
  const books = new Books(ops, tables)
  return {
    lost: lost(books),
    doubled: doubled(books),
    wrong_totals: wrongTotals(books),
    broken_chains: checkChains(books),
    unexplained: unexplained(books),
    changed: changed(books),
    lost_changes: lostChanges(books),
    ...checkReaders(books),
    parked: tables.parked.map(({ source, reason, attempts, raw }) => `from ${source}, ${reason}, ${attempts} attempts: ${raw.slice(0, 300)}`),
    ...checkTelling(tables, telling)
  }
}

function lost (books: Books): string[] {
  return books.accepted.filter(({ order_id }) => !books.rows.has(order_id) && !isVisiblyRejected(books, order_id))
    .map(({ op, order_id }) => `${op.token} (order ${order_id}, op ${op.op}, ${op.request_id}) was answered 202 at ${moment(op.ended)} and is nowhere`)
}

function isVisiblyRejected (books: Books, orderId: string): boolean {
  const recorded = books.eventsOf(orderId).some(({ type, outcome }) => type === 'order.placed' && outcome === 'rejected')
  return recorded && books.ops.some(({ kind, seen }) => kind === 'read' && seen.some(({ order_id, status }) => order_id === orderId && status === 'rejected'))
}

function doubled (books: Books): string[] {
  const evidence: string[] = []
  for (const [token, rows] of books.rowsByToken) {
    if (rows.length > 1) evidence.push(`${token} has ${rows.length} rows: ${rows.map(({ order_id }) => order_id).join(', ')}`)
  }
  for (const [token, orders] of books.ordersByToken) {
    if (orders.size > 1) evidence.push(`${token} was answered with ${orders.size} orders: ${[...orders].join(', ')}`)
  }
  const applied = new Map<string, number>()
  for (const { event_id, type, order_id, request_id, outcome } of books.tables.events) {
    if (outcome !== 'applied') continue
    const effects = [`event ${event_id}`, ...(type === 'order.placed' ? [] : [`change ${request_id} of order ${order_id}`])]
    for (const effect of effects) applied.set(effect, (applied.get(effect) ?? 0) + 1)
  }
  for (const [effect, times] of applied) if (times > 1) evidence.push(`${effect} was applied ${times} times`)
  return evidence
}

function wrongTotals (books: Books): string[] {
  const isWrong = ({ item_quantity, item_price, total_value }: Pick<OrderRow, 'item_quantity' | 'item_price' | 'total_value'>) => item_quantity * item_price !== total_value
  return [
    ...books.tables.orders.filter(isWrong).map(({ order_id, total_value }) => `the row of order ${order_id} says ${total_value}`),
    ...books.tables.events.filter(({ data }) => isWrong(data)).map(({ event_id, data }) => `event ${event_id} says ${data.total_value}`),
    ...books.ops.flatMap(({ op, seen }) => seen.filter(isWrong).map(({ order_id, total_value }) => `op ${op} was shown ${total_value} for order ${order_id}`))
  ]
}

function unexplained (books: Books): string[] {
  const rows = books.tables.orders.filter((row) => !books.wasAttempted(row))
    .map(({ order_id, item_description }) => `order ${order_id} "${item_description}"`)
  const events = books.tables.events.filter((event) => event.outcome === 'applied' && !isExplained(books, event))
    .map(({ event_id, order_id, type, request_id }) => `${type} ${event_id} of order ${order_id}, asked for by ${request_id}`)
  return [...rows, ...events]
}

function isExplained (books: Books, { type, data, order_id, request_id }: EventRow): boolean {
  if (type === 'order.placed') return books.wasAttempted({ ...data, order_id })
  return books.attempts(request_id).some((op) => op.order_id === order_id && op.outcome !== 'fail')
}

function changed (books: Books): string[] {
  const evidence: string[] = []
  for (const { op, order_id, shown } of books.accepted) {
    if (op.line && !contains(shown, op.line)) evidence.push(`${op.token} (order ${order_id}): accepted ${JSON.stringify(op.line)}, answered ${JSON.stringify(shown)}`)
  }
  for (const event of books.tables.events) {
    if (event.outcome !== 'applied') continue
    const wanted = event.type === 'order.placed' ? books.lineOf(event.data) : books.attempts(event.request_id).find(({ order_id }) => order_id === event.order_id)?.change
    if (wanted && !contains(event.data, wanted)) evidence.push(`event ${event.event_id} of order ${event.order_id}: asked ${JSON.stringify(wanted)}, stored ${JSON.stringify(event.data)}`)
  }
  return evidence
}

/**
 * A change answered 202 is there as an event of its own request, settled either way; or it asked for what already was, then its
 * answer shows the state that another event left, or would have left.
 */
function lostChanges (books: Books): string[] {
  const evidence: string[] = []
  for (const op of books.ops) {
    const [shown] = op.seen
    if (op.outcome !== 'ok' || !['amend', 'cancel', 'move'].includes(op.kind) || shown === undefined) continue
    const events = books.eventsOf(shown.order_id)
    if (events.some((event) => event.request_id === op.request_id && event.outcome !== 'waiting')) continue
    if (asked(op, shown) && events.some((event) => event.outcome !== 'waiting' && leaves(event, shown))) continue
    evidence.push(`${op.kind} ${op.request_id} of order ${shown.order_id} (op ${op.op}) was answered 202 with version ${shown.version} ${shown.status} at ${moment(op.ended)}`)
  }
  return evidence
}

/** Whether the answer is what the request asked for. */
function asked ({ change = {}, to }: Op, shown: Seen): boolean {
  return contains(shown, change) && (to === undefined || shown.status === to)
}
