import type { Seen } from '../testkit/clients/answers.js'
import { type Books, grouped, leaves, moment } from './books.js'
import type { Op } from './history.js'

/** What readers were told, one order at a time. */
export function checkReaders (books: Books): { vanished: string[], regressed: string[] } {
  return { vanished: vanished(books), regressed: regressed(books) }
}

/** After its 202 an order may be not visible yet, which has a problem of its own; it is never unknown. */
function vanished (books: Books): string[] {
  const accepted = new Map<string, number>()
  for (const { order_id, op } of books.accepted) accepted.set(order_id, Math.min(op.ended, accepted.get(order_id) ?? Infinity))
  return books.ops.filter((op) => op.status === 404 && op.problem !== 'order-not-visible-yet' && op.at > (accepted.get(op.order_id ?? '') ?? Infinity))
    .map((op) => `${op.kind} of order ${op.order_id} by ${op.client} (op ${op.op}) was answered ${op.problem} at ${moment(op.ended)}, ${Math.round(op.at - accepted.get(op.order_id!)!)} ms after its 202`)
}

interface Look { op: Op, shown: Seen }

/**
 * Whether a client was shown a lower version than one it had seen persisted before it asked: an order shown as an applied event
 * left it, after that event was committed.
 */
function regressed (books: Books): string[] {
  const looks = books.ops.filter(({ kind, outcome }) => outcome === 'ok' && (kind === 'read' || kind === 'list'))
    .flatMap((op): Look[] => op.seen.map((shown) => ({ op, shown })))
  const evidence: string[] = []
  for (const group of grouped(looks, ({ op, shown }) => `${op.client} ${shown.order_id}`).values()) {
    const persisted = group.filter((look) => wasPersisted(books, look))
    for (const { op, shown } of group) {
      const earlier = persisted.find((look) => look.op.ended <= op.at && look.shown.version > shown.version)
      if (earlier) evidence.push(`${op.client} saw version ${earlier.shown.version} ${earlier.shown.status} of order ${shown.order_id} persisted (op ${earlier.op.op}, ${moment(earlier.op.ended)}), then version ${shown.version} ${shown.status} (${op.kind}, op ${op.op}, ${moment(op.at)} to ${moment(op.ended)})`)
    }
  }
  return evidence
}

function wasPersisted (books: Books, { op, shown }: Look): boolean {
  if (shown.status === 'accepted') return false
  return books.eventsOf(shown.order_id).some((event) => event.outcome === 'applied' && event.committed <= op.ended && leaves(event, shown))
}
