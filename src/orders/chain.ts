import type { Base, OrderEvent } from './event.js'
import { confirmed } from './order.js'
import { type BrokenRule, brokenRule } from './rules.js'

/**
 * What became of an event: applied to its order, kept until its base is applied, or refused for good.
 *
 *   (never seen) --its base is the head---------------------> applied
 *        |  \--its base is not known yet--> waiting --it is--> applied
 *        |                                     |
 *        \--its base was built upon, or was rejected----------> rejected
 *                     (an operator's replay opens a refused one again: waiting)
 */
export type Outcome = 'applied' | 'waiting' | 'rejected'

/** Why an event can never be applied; stable codes, shown in the timeline. */
export type RejectReason =
  | 'already_placed' // another placement owns this order id
  | 'superseded' // its base was already built upon by another event
  | 'base_rejected' // its base was itself rejected
  | 'wrong_version' // its version is not the next one after its base
  | BrokenRule

export type Decision =
  | { event: OrderEvent, outcome: 'applied' | 'waiting' }
  | { event: OrderEvent, outcome: 'rejected', reason: RejectReason }

/** The end of an order's chain: the last event applied, and the order as it left it. */
export type ChainHead = Base

export interface Extension {
  /** The head after these events; null when still nothing is applied. */
  head: ChainHead | null
  /** The last event applied here, whose state the row takes; null when none was. */
  last: OrderEvent | null
  /** One decision for each event that was not applied or rejected before. */
  decisions: Decision[]
}

/**
 * Extends ONE order's chain by the events given, in any order and with duplicates.
 *
 * An event is applied exactly when its base is the head (a placement: when there is no head). One whose base is not
 * known yet waits; one whose base was built upon by another, or was rejected, is rejected. Among rivals for one base
 * the first given wins. One that breaks a rule of the order is rejected where it would be applied. So duplicates, reordering and any split into batches end in the same chain.
 *
 * @param head the row's last applied event, null when there is no row
 * @param outcomeOf what was recorded for an event before; undefined when it was never seen
 */
export function extendChain (
  head: ChainHead | null,
  events: readonly OrderEvent[],
  outcomeOf: (event_id: string) => Outcome | undefined
): Extension {
  const decided = new Map<string, Decision>()
  const open = unique(events, (id) => outcomeOf(id) === 'applied' || outcomeOf(id) === 'rejected')
  let last: OrderEvent | null = null

  const judge = (event: OrderEvent): Decision | undefined => {
    if (event.base !== (head?.event_id ?? null)) {
      const reason = whyNever(event.base, head, (base) => decided.get(base)?.outcome ?? outcomeOf(base))
      return reason && { event, outcome: 'rejected', reason }
    }
    const reason = whyNotNext(event, head)
    if (reason) return { event, outcome: 'rejected', reason }
    head = { event_id: event.event_id, order: confirmed(event.order) }
    last = event
    return { event, outcome: 'applied' }
  }

  // Sorted by version one pass settles a whole chain; further passes settle what hung on a late rejection.
  for (let before = -1; before < decided.size;) {
    before = decided.size
    for (const event of open) {
      const decision = decided.has(event.event_id) ? undefined : judge(event)
      if (decision) decided.set(event.event_id, decision)
    }
  }
  return { head, last, decisions: open.map((event) => decided.get(event.event_id) ?? { event, outcome: 'waiting' }) }
}

function whyNotNext (event: OrderEvent, head: ChainHead | null): RejectReason | undefined {
  if (event.order.version !== (head?.order.version ?? 0) + 1) return 'wrong_version'
  return head ? brokenRule(event, head.order) : undefined
}

/**
 * Why an event whose base is not the head can never be applied; undefined while its base may still come.
 * A base that is applied where there is no head yet was applied since the head was read: nothing says that it was built upon.
 */
function whyNever (base: string | null, head: ChainHead | null, outcomeOf: (event_id: string) => Outcome | undefined): RejectReason | undefined {
  if (base === null) return 'already_placed'
  const outcome = outcomeOf(base)
  if (outcome === 'applied') return head ? 'superseded' : undefined
  return outcome === 'rejected' ? 'base_rejected' : undefined
}

function unique (events: readonly OrderEvent[], settled: (event_id: string) => boolean): OrderEvent[] {
  const byId = new Map<string, OrderEvent>()
  for (const event of events) {
    if (!byId.has(event.event_id) && !settled(event.event_id)) byId.set(event.event_id, event)
  }
  return [...byId.values()].sort((a, b) => a.order.version - b.order.version)
}
