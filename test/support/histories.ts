import fc from 'fast-check'
import { v7 } from 'uuid'
import { type OrderEvent, placeOrder } from '../../src/orders/event.js'
import { confirmed, type Order, type OrderInput, totalValue } from '../../src/orders/order.js'
import { nextStatuses } from '../../src/orders/status.js'

/** One delivery of an event: in which round, by which path, and where in its batch. */
export interface Arrival {
  round: number
  /** one of the workers, or FALLBACK */
  path: number
  place: number
}

/** One event of a history, without ids: those are given when a run begins, so that no run meets the rows of another. */
export interface Step {
  line: OrderInput
  /** Which of the changes that are legal on its base. */
  move: number
  /** Whether who asked for it saw its base persisted, thus `confirmed`. */
  seen: boolean
  /** How far before the last event its base stands: 0 builds on the last, more makes a rival; before the first: a placement. */
  back: number
  /** Added to the right version; only placements have version 1. */
  skew: number
  /** None: it is lost on the way. */
  arrivals: Arrival[]
}

export interface Told {
  event: OrderEvent
  arrivals: Arrival[]
}

export const WORKERS = 3
export const FALLBACK = WORKERS
const ROUNDS = 3

const plain = { noNullPrototype: true } // a counterexample reads better
const line = fc.record({
  item_description: fc.oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), fc.constant('a\n"b\\", {c}')),
  item_quantity: fc.integer({ min: 1, max: 1_000_000 }),
  item_price: fc.integer({ min: 0, max: 100_000_000 })
}, plain)
const arrival = fc.record({ round: fc.nat(ROUNDS - 1), path: fc.nat(FALLBACK), place: fc.nat(9) }, plain)
const mostly = <T>(usual: fc.Arbitrary<T>, seldom: fc.Arbitrary<T>): fc.Arbitrary<T> => fc.oneof({ arbitrary: usual, weight: 4 }, { arbitrary: seldom, weight: 1 })
const once: fc.Arbitrary<Arrival[]> = fc.tuple(arrival)
const repeatedly = fc.array(arrival, { minLength: 1, maxLength: 3 })

function histories (given: { back: fc.Arbitrary<number>, skew: fc.Arbitrary<number>, arrivals: fc.Arbitrary<Arrival[]> }): fc.Arbitrary<Step[][]> {
  const step = fc.record({ line, move: fc.nat(4), seen: fc.boolean(), ...given }, plain)
  return fc.array(fc.array(step, { minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 4 })
}

/** Histories in which each event builds on the one before, and each arrives one to three times. */
export const plainHistories = histories({ back: fc.constant(0), skew: fc.constant(0), arrivals: repeatedly })

/** Histories with rivals for a base or an order, changes built on losers, wrong versions, and events that never arrive. */
export const rivalHistories = histories({
  back: mostly(fc.nat(1), fc.nat(9)),
  skew: mostly(fc.constant(0), fc.integer({ min: -1, max: 2 })),
  arrivals: mostly(fc.oneof(once, repeatedly), fc.constant([]))
})

/** Writes each history down as the events of one new order, in the order in which they were taken. */
export function tell (histories: readonly Step[][], user_id: number): Told[][] {
  return histories.map((steps) => {
    const order_id = v7()
    const told: Told[] = []
    for (const step of steps) {
      const base = told.at(-1 - step.back)?.event
      const now = new Date(Date.UTC(2026, 0, 1) + told.length * 1000).toISOString()
      const event = base
        ? change(base, step, now)
        : placeOrder({ order_id, event_id: v7(), user_id, input: step.line, now, request_id: 'test' })
      if (event) told.push({ event, arrivals: step.arrivals })
    }
    return told
  })
}

/** @returns null where the lifecycle ends */
function change (base: OrderEvent, { line, move, seen, skew }: Step, now: string): OrderEvent | null {
  const order: Order = { ...(seen ? confirmed(base.order) : base.order), version: Math.max(2, base.order.version + 1 + skew), updated_at: now }
  const amendable = order.status === 'accepted' || order.status === 'confirmed'
  const moves = [...(amendable ? [null] : []), ...nextStatuses(order.status, 'operator')]
  if (moves.length === 0) return null
  const status = moves[move % moves.length]!
  const event = { ...base, event_id: v7(), base: base.event_id, occurred_at: now }
  if (status === null) return { ...event, type: 'order.amended', order: { ...order, ...line, total_value: totalValue(line) } }
  return { ...event, type: status === 'cancelled' ? 'order.cancelled' : 'order.status_changed', order: { ...order, status } }
}

/** The batches of each round: what each path brings, in the order of its places. */
export function rounds (told: readonly Told[]): OrderEvent[][][] {
  const arrived = told.flatMap(({ event, arrivals }) => arrivals.map((arrival) => ({ event, ...arrival })))
  return Array.from({ length: ROUNDS }, (_, round) => Array.from({ length: FALLBACK + 1 }, (_, path) =>
    arrived.filter((one) => one.round === round && one.path === path).sort((a, b) => a.place - b.place).map(({ event }) => event)))
}

export interface Settled {
  event: OrderEvent
  outcome: string
  reason: string | null
}

/** Why, by the definition, this event of a settled history may have been rejected. */
export function reasonsToReject ({ base, order }: OrderEvent, history: readonly Settled[]): string[] {
  if (base === null) return ['already_placed']
  const builtOn = history.find(({ event }) => event.event_id === base)
  if (builtOn?.outcome === 'rejected') return ['base_rejected']
  if (builtOn?.outcome !== 'applied') return []
  const isTaken = history.some(({ event, outcome }) => event.base === base && outcome === 'applied')
  return [...(isTaken ? ['superseded'] : []), ...(order.version === builtOn.event.order.version + 1 ? [] : ['wrong_version'])]
}
