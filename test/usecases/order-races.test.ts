/** Changes of several callers at once, in any interleaving of what their ports answer. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { OrderError } from '../../src/orders/errors.js'
import type { OrderEvent } from '../../src/orders/event.js'
import { confirmed } from '../../src/orders/order.js'
import { isAmendable, mayMove } from '../../src/orders/status.js'
import type { Answer } from '../../src/usecases/order-reader.js'
import { holds } from '../support/properties.js'
import { ana, changing, openOrderService, operator } from './memory/order-service.js'

const plain = { noNullPrototype: true } // a counterexample reads better
const change = fc.record({
  to: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constantFrom('paid', 'shipped', 'cancelled')),
  /** Upon the version that was read just before, else upon any. */
  upon: fc.boolean(),
  fate: fc.oneof({ arbitrary: fc.constant('taken' as const), weight: 4 }, { arbitrary: fc.constantFrom('refused', 'lost'), weight: 1 })
}, plain)
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never
/** Each caller makes one change after the other; a worker books so often meanwhile. */
const races = fc.record({ scheduler: fc.scheduler(), callers: fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 3 }), bookings: fc.nat(2) }, plain)
type Race = typeof races extends fc.Arbitrary<infer T> ? T : never

interface Made {
  request_id: string
  change: Change
  version: number
  result: Answer | OrderError
}

interface Outcome {
  events: OrderEvent[]
  made: Made[]
  outcomeOf (event: OrderEvent): string | undefined
}

/** Every call of a port waits for its turn. */
function byTurns (scheduler: fc.Scheduler): <T extends object>(port: T) => T {
  return (port) => new Proxy(port, {
    get (target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        await scheduler.schedule(Promise.resolve(), String(name))
        return await (value as (...args: unknown[]) => unknown).apply(target, args)
      }
    }
  })
}

async function run ({ scheduler, callers, bookings }: Race, options: { cache: boolean, locks: boolean }): Promise<Outcome> {
  const service = openOrderService({ cache: options.cache, through: byTurns(scheduler) })
  const { reader, changes, orders, book, taken } = service
  const fates = new Map<string, Change['fate']>()
  const placing = service.booked()
  const { order: { order_id: id } } = await scheduler.waitFor(placing)
  if (!options.locks) service.locks.cut()
  service.intake.fate = ({ request_id: request }) => fates.get(request)!
  const made: Made[] = []
  const make = async (change: Change, request_id: string) => {
    fates.set(request_id, change.fate)
    const { order: { version } } = await reader.find(id, operator)
    const request = { ...changing(id, typeof change.to === 'number' ? ana : operator, change.upon ? [version] : null), request_id }
    const making = typeof change.to === 'number' ? changes.amend(request, { item_quantity: change.to }) : changes.move(request, change.to as 'paid')
    const result = await making.catch((error: unknown) => {
      if (error instanceof OrderError) return error
      throw error
    })
    made.push({ request_id, change, version, result })
  }
  const calling = callers.map(async (some, caller) => { for (const [index, change] of some.entries()) await make(change, `${caller}.${index}`) })
  const booking = Array.from({ length: bookings }, async () => {
    await scheduler.schedule(Promise.resolve(), 'book')
    await book()
  })
  await scheduler.waitFor(Promise.all([...calling, ...booking]))
  await scheduler.waitFor(book())
  return { events: taken(), made, outcomeOf: ({ event_id: event }) => orders.outcomeOf(event) }
}

/** Each applied event is built on the one before, by a move that is legal from there. */
function isOneChain (events: readonly OrderEvent[], outcomeOf: Outcome['outcomeOf']): void {
  const chain = events.filter((event) => outcomeOf(event) === 'applied').sort((a, b) => a.order.version - b.order.version)
  for (const [index, { base, type, order }] of chain.entries()) {
    const before = chain[index - 1]
    assert.deepEqual([order.version, base], [index + 1, before?.event_id ?? null])
    if (!before) continue
    const { status } = confirmed(before.order)
    assert.ok(type === 'order.amended' ? isAmendable(status) : mayMove(status, order.status, 'operator'), `${status} -> ${type}`)
  }
}

function isAnsweredRight ({ events, made }: Outcome): void {
  for (const { request_id: request, change, version, result } of made) {
    const own = events.find((event) => event.request_id === request)
    if (result instanceof OrderError) {
      assert.ok(['lost_race', 'stale', 'illegal_move', 'not_amendable', 'not_accepted', 'outcome_unknown'].includes(result.code), result.code)
      assert.equal(own !== undefined, result.code === 'outcome_unknown', `${result.code}: nothing of it was taken`)
      continue
    }
    assert.ok(events.some(({ event_id: id }) => id === result.event_id), 'what is answered was taken')
    assert.equal(typeof change.to === 'number' ? result.order.item_quantity : result.order.status, change.to)
    if (own && change.upon) assert.equal(own.order.version, version + 1, 'built on the version that was named')
    if (own) assert.equal(own.event_id, result.event_id)
  }
}

/** A caller never reads an older version than before, nor one older than an answer to that caller. */
function isReadForward (made: readonly Made[]): void {
  const latest = new Map<string, number>()
  for (const { request_id: request, version, result } of made) {
    const caller = request.split('.')[0]!
    assert.ok(version >= (latest.get(caller) ?? 1), `${version} behind ${latest.get(caller)}`)
    latest.set(caller, result instanceof OrderError ? version : result.order.version)
  }
}

t.test('with locks every change that is taken is built on the one before, and booked; all others are refused', async (t) => {
  await holds(t, 60, races, async (race) => {
    const outcome = await run(race, { cache: true, locks: true })
    isOneChain(outcome.events, outcome.outcomeOf)
    isAnsweredRight(outcome)
    isReadForward(outcome.made)
    assert.deepEqual(outcome.events.map(outcome.outcomeOf), outcome.events.map(() => 'applied'))
  })
})

t.test('without locks the chain decides: one change a version is booked, whatever lost to it is rejected', async (t) => {
  for (const cache of [true, false]) {
    await holds(t, 30, races, async (race) => {
      const outcome = await run(race, { cache, locks: false })
      isOneChain(outcome.events, outcome.outcomeOf)
      isAnsweredRight(outcome)
      for (const event of outcome.events) assert.match(outcome.outcomeOf(event)!, /^(applied|rejected)$/)
    })
  }
})
