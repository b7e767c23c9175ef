import t from 'tap'
import { Group, type GroupOptions } from '../../src/broker/group.js'

/** A group whose sends are answered by hand. */
function byHand (options: Partial<GroupOptions<string>> = {}) {
  const sent: Array<{ items: string[], answer: () => void, refuse: (error: Error) => void }> = []
  const group = new Group<string>({
    send: (items) => new Promise((resolve, reject) => { sent.push({ items, answer: resolve, refuse: reject }) }),
    sizeOf: (item) => item.length,
    maxItems: 3,
    maxBytes: 10,
    maxInFlight: 2,
    maxHeld: 8,
    timeLimitMs: 60_000,
    ...options
  })
  return { group, sent }
}
const turn = async () => await new Promise((resolve) => setImmediate(resolve))

t.test('a lone item is sent at once', async (t) => {
  const { group, sent } = byHand()
  const added = group.add('a')
  t.same(sent.map(({ items }) => items), [['a']])
  sent[0]!.answer()
  await added
  t.equal(group.held, 0)
})

t.test('what arrives meanwhile leaves together, and one answer serves all', async (t) => {
  const { group, sent } = byHand()
  const added = [group.add('a'), group.add('b'), group.add('c')]
  t.equal(sent.length, 1)
  sent[0]!.answer()
  await turn()
  t.same(sent[1]!.items, ['b', 'c'])
  sent[1]!.answer()
  await Promise.all(added)
})

t.test('a full group does not wait, but never more than so many are under way', async (t) => {
  const { group, sent } = byHand()
  const added = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(async (item) => await group.add(item))
  t.same(sent.map(({ items }) => items.join('')), ['a', 'bcd'])
  sent[0]!.answer()
  await turn()
  t.same(sent.map(({ items }) => items.join('')), ['a', 'bcd', 'efg'])
  for (const { answer } of sent) answer()
  await Promise.all(added)
})

t.test('a group never exceeds its bytes, except by a single item', async (t) => {
  const { group, sent } = byHand({ maxInFlight: 9, maxItems: 99 })
  for (const item of ['a', '12345', '12345', '1', '123456789012', 'z']) void group.add(item)
  for (let index = 0; index < sent.length; index++) {
    sent[index]!.answer()
    await turn()
  }
  t.same(sent.map(({ items }) => items), [['a'], ['12345', '12345'], ['1'], ['123456789012'], ['z']])
})

t.test('beyond its bound it refuses at once, so memory stays flat in an outage', async (t) => {
  const { group, sent } = byHand()
  for (let index = 0; index < 8; index++) void group.add('x').catch(() => {})
  await t.rejects(group.add('x'), { name: 'GroupError', outcome: 'refused' })
  t.equal(group.held, 8)
  group.rejectQueued('the test is over')
  for (const { answer } of sent) answer()
})

t.test('past its time an item in flight is unknown, a gathered one refused, and the group is stalled until the answer', async (t) => {
  const { group, sent } = byHand({ timeLimitMs: 40 })
  const [flying, waiting] = [group.add('a'), group.add('b')]
  await Promise.all([
    t.rejects(flying, { name: 'GroupError', outcome: 'unknown' }),
    t.rejects(waiting, { name: 'GroupError', outcome: 'refused' })
  ])
  t.equal(group.stalled, true)
  t.equal(group.held, 1, 'what is in flight still counts')
  await group.settled()
  sent[0]!.answer()
  await turn()
  t.equal(group.held, 0)
  t.equal(group.stalled, false)
})

t.test('a refused send is every item\'s refusal; any other failure is unknown', async (t) => {
  const { group, sent } = byHand()
  const first = group.add('a')
  sent[0]!.refuse(Object.assign(new Error('no'), { outcome: 'refused' }))
  await t.rejects(first, { name: 'GroupError', outcome: 'refused' })
  const second = group.add('b')
  sent[1]!.refuse(new Error('gone'))
  await t.rejects(second, { name: 'GroupError', outcome: 'unknown' })
})

t.test('giving back refuses what was not sent and leaves what was', async (t) => {
  const { group, sent } = byHand()
  const [flying, waiting] = [group.add('a'), group.add('b')]
  group.rejectQueued('closing')
  await t.rejects(waiting, { name: 'GroupError', outcome: 'refused' })
  sent[0]!.answer()
  await flying
})

for (const [way, step] of [['back', -3_600_000], ['ahead', 3_600_000]] as const) {
  t.test(`a clock that is set ${way} by an hour changes nothing in what is under way`, async (t) => {
    const { group, sent } = byHand({ timeLimitMs: 400 })
    const silent = group.add('a')
    const real = Date.now
    t.intercept(Date, 'now', { value: () => real() + step })
    const began = performance.now()
    t.equal(group.stalled, false)
    await t.rejects(silent, { message: 'not answered in time' })
    const ms = performance.now() - began
    t.ok(ms > 300, `${Math.round(ms)} ms`)
    t.equal(group.stalled, true)
    sent[0]!.answer()
    await turn()
  })
}
