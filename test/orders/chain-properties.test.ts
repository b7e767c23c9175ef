import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type ChainHead, extendChain, type Extension, type Outcome } from '../../src/orders/chain.js'
import type { OrderEvent } from '../../src/orders/event.js'
import { plainHistories, reasonsToReject, rivalHistories, tell } from '../support/histories.js'
import { holds } from '../support/properties.js'

/** What is remembered of one order between two batches: as the tables do it. */
class Ledger {
  head: ChainHead | null = null
  readonly outcomes = new Map<string, Outcome>()
  #waiting: OrderEvent[] = []

  extend (events: readonly OrderEvent[]): Extension {
    const extension = extendChain(this.head, [...events, ...this.#waiting], (id) => this.outcomes.get(id))
    this.head = extension.head
    for (const { event, outcome } of extension.decisions) this.outcomes.set(event.event_id, outcome)
    this.#waiting = extension.decisions.filter(({ outcome }) => outcome === 'waiting').map(({ event }) => event)
    return extension
  }
}

/** The events of one order, in the order taken, and in another with duplicates. */
const mixed = (histories: typeof plainHistories) => histories
  .map((steps) => tell(steps, 1)[0]!.map(({ event }) => event))
  .chain((events) => fc.record({
    events: fc.constant(events),
    mixed: fc.tuple(fc.shuffledSubarray(events, { minLength: events.length }), fc.array(fc.constantFrom(...events), { maxLength: 4 })).map((parts) => parts.flat())
  }))

const endOf = (head: ChainHead | null) => head && { event_id: head.event_id, version: head.order.version }
const known = ({ decisions }: Extension) => new Map(decisions.map((decision) => [decision.event.event_id, decision]))

t.test('without rivals the order and the number of arrivals do not matter', async (t) => {
  await holds(t, 1000, mixed(plainHistories), ({ events, mixed }) => {
    const inOrder = extendChain(null, events, () => undefined)
    const anyhow = extendChain(null, mixed, () => undefined)
    assert.deepEqual(endOf(inOrder.head), { event_id: events.at(-1)!.event_id, version: events.length })
    assert.deepEqual([anyhow.head, anyhow.last], [inOrder.head, inOrder.last])
    assert.deepEqual(known(anyhow), known(inOrder))
    assert.equal(anyhow.decisions.length, events.length)
  })
})

t.test('without rivals it does not matter how the events are split', async (t) => {
  await holds(t, 1000, fc.tuple(mixed(plainHistories), fc.array(fc.nat(12), { maxLength: 4 })), ([{ events, mixed }, cuts]) => {
    const ledger = new Ledger()
    const ends = [...cuts.sort((a, b) => a - b), mixed.length]
    for (const [index, end] of ends.entries()) ledger.extend(mixed.slice(ends[index - 1] ?? 0, end))
    assert.deepEqual(endOf(ledger.head), { event_id: events.at(-1)!.event_id, version: events.length })
    assert.deepEqual(ledger.outcomes, new Map(mixed.map(({ event_id }) => [event_id, 'applied'])))
  })
})

t.test('what was decided is not decided again, with rivals too', async (t) => {
  await holds(t, 1000, mixed(rivalHistories), ({ mixed }) => {
    const ledger = new Ledger()
    ledger.extend(mixed)
    const { head, outcomes } = { head: ledger.head, outcomes: new Map(ledger.outcomes) }
    const { last, decisions } = ledger.extend(mixed)
    assert.deepEqual([last, decisions], [null, []])
    assert.deepEqual([ledger.head, ledger.outcomes], [head, outcomes])
  })
})

t.test('rivals leave one winner a version and no gap, and everything else is rejected for its reason', async (t) => {
  await holds(t, 1000, mixed(rivalHistories), ({ mixed }) => {
    const { head, last, decisions } = extendChain(null, mixed, () => undefined)
    const applied = decisions.filter(({ outcome }) => outcome === 'applied').map(({ event }) => event)
    assert.deepEqual(applied.map(({ order }) => order.version), applied.map((_, index) => index + 1))
    assert.deepEqual(applied.map(({ base }) => base), [null, ...applied.slice(0, -1).map(({ event_id }) => event_id)])
    assert.deepEqual([head?.event_id, last], [applied.at(-1)?.event_id, applied.at(-1)])
    const history = decisions.map((decision) => ({ reason: null, ...decision }))
    for (const { event, outcome, reason } of history) {
      if (outcome === 'applied') continue
      assert.equal(outcome, 'rejected', 'every base is here: nothing waits')
      assert.ok(reasonsToReject(event, history).includes(reason!), `${reason} is no reason`)
    }
  })
})
