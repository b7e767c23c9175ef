import t from 'tap'
import { follow } from '../../src/feed/follow.js'
import { type FeedPort, FeedReader } from '../../src/feed/reader.js'
import { Tail } from '../../src/feed/tail.js'
import type { FeedEvent } from '../../src/orders/feed-event.js'
import { placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'

/** A feed in memory. */
class Log implements FeedPort {
  readonly events: FeedEvent[] = []
  reads = 0
  fails = false

  add (...users: number[]): void {
    for (const user of users) {
      const { event_id, type, base, order } = placement(user)
      const position = (this.events.at(-1)?.position ?? 0) + 2
      this.events.push({ position, event_id, type, version: 1, base, data: order, outcome: user < 100 ? 'applied' : 'rejected', reason: null, actor: null, traceparent: null, recorded_at: '', reopened: 0 })
    }
  }

  async read ({ after, limit, user_id }: Parameters<FeedPort['read']>[0]): ReturnType<FeedPort['read']> {
    this.reads++
    if (this.fails) throw new Error('away')
    const end = this.events.at(-1)?.position ?? 0
    return { events: this.events.filter(({ position, data }) => position > after && (user_id === undefined || data.user_id === user_id)).slice(0, limit), end }
  }
}

const positions = (events: readonly FeedEvent[]) => events.map(({ position }) => position)
const opened = (log: Log) => ({ reader: new FeedReader(log), tail: new Tail({ port: log, busyMs: 1, idleMs: 5 }) })
/** Takes until so many came. */
async function take (events: AsyncGenerator<readonly FeedEvent[]>, count: number): Promise<number[]> {
  const taken: number[] = []
  while (taken.length < count) taken.push(...positions((await events.next()).value as FeedEvent[]))
  return taken
}

t.test('a page tells where the next begins, and whether the end was reached', async (t) => {
  const log = new Log()
  log.add(1, 1, 2)
  const { reader } = opened(log)
  t.match(await reader.page(0, 2), { events: [{ position: 2 }, { position: 4 }], next: 4, complete: false })
  t.match(await reader.page(4, 2), { events: [{ position: 6 }], next: 6, complete: true })
  t.strictSame(await reader.page(6, 2), { events: [], next: 6, complete: true })
  t.strictSame(await reader.page(0, 2, { user_id: 3 }), { events: [], next: 6, complete: true }, 'of others nothing, up to the end')
  t.equal(await reader.end(), 6)
})

t.test('a kind that is rare costs a bounded look, and the page goes on behind it', async (t) => {
  const log = new Log()
  log.add(...new Array<number>(6000).fill(1), 100)
  const { reader } = opened(log)
  const happenings = new Set(['rejected'] as const)
  const first = await reader.page(0, 5, { happenings })
  t.strictSame(first, { events: [], next: 10_000, complete: false })
  t.equal(log.reads, 10)
  t.match(await reader.page(first.next, 5, { happenings }), { events: [{ position: 12_002 }], next: 12_002, complete: true })
})

t.test('a page that is full of what was asked for ends at its last, though more was looked at', async (t) => {
  const log = new Log()
  log.add(100, 1, 100, 100)
  t.match(await opened(log).reader.page(0, 2, { happenings: new Set(['rejected']) }), { events: [{ position: 2 }, { position: 6 }], next: 6, complete: false })
})

t.test('a follower is told what was before and what happens then, each once, in order', async (t) => {
  const log = new Log()
  log.add(...new Array<number>(250).fill(1))
  const over = new AbortController()
  const events = follow(opened(log), 100, {}, over.signal)
  t.strictSame(await take(events, 200), Array.from({ length: 200 }, (_, index) => 102 + 2 * index))
  for (let round = 0; round < 20; round++) {
    log.add(1, 2)
    t.strictSame(await take(events, 2), [502 + 4 * round, 504 + 4 * round])
  }
  over.abort()
  t.equal((await events.next()).done, true)
})

t.test('followers share one look; without any there is none', async (t) => {
  const log = new Log()
  log.add(1)
  const { reader, tail } = opened(log)
  const overs = Array.from({ length: 50 }, () => new AbortController())
  const many = overs.map(async ({ signal }) => await follow({ reader, tail }, 2, {}, signal).next())
  await eventually('all follow', () => tail.followers === 50)
  const before = log.reads
  log.add(1)
  await Promise.all(many)
  t.ok(log.reads - before < 10, `${log.reads - before} looks for 50`)
  for (const over of overs) over.abort()
  t.equal(tail.followers, 0)
  const last = log.reads
  let asked = 0
  await eventually('some time passed', () => ++asked > 20)
  t.ok(log.reads - last <= 1, 'the one that was under way')
})

t.test('a follower is told of one user alone', async (t) => {
  const log = new Log()
  const over = new AbortController()
  t.teardown(() => over.abort())
  const events = follow(opened(log), 0, { user_id: 7 }, over.signal)
  const next = take(events, 2)
  log.add(7, 8, 8, 7)
  t.strictSame(await next, [2, 8])
})

t.test('one that takes too little of what happens reads on by itself, and misses nothing', async (t) => {
  const log = new Log()
  const over = new AbortController()
  t.teardown(() => over.abort())
  const { reader, tail } = opened(log)
  const slow = follow({ reader, tail }, 0, {}, over.signal)
  const first = take(slow, 1)
  await eventually('it follows', () => tail.followers === 1)
  log.add(1)
  t.strictSame(await first, [2])
  for (let round = 0; round < 5; round++) log.add(...new Array<number>(400).fill(1))
  await eventually('it was left behind', () => tail.followers === 0)
  t.strictSame(await take(slow, 2000), Array.from({ length: 2000 }, (_, index) => 4 + 2 * index))
})

t.test('while the feed cannot be read followers wait, and are told when it can', async (t) => {
  const log = new Log()
  const over = new AbortController()
  t.teardown(() => over.abort())
  const { reader, tail } = opened(log)
  const events = take(follow({ reader, tail }, 0, {}, over.signal), 1)
  await eventually('it follows', () => tail.followers === 1)
  log.fails = true
  const before = log.reads
  await eventually('it was asked in vain', () => log.reads > before + 3)
  log.add(1)
  log.fails = false
  t.strictSame(await events, [2])
})

t.test('a tail that another left takes up where the next one begins', async (t) => {
  const log = new Log()
  log.add(1, 1)
  const { reader, tail } = opened(log)
  const left = new AbortController()
  const first = follow({ reader, tail }, 4, {}, left.signal).next()
  await eventually('it follows', () => tail.followers === 1)
  left.abort()
  await first
  log.add(1, 1)
  const over = new AbortController()
  t.teardown(() => over.abort())
  t.strictSame(await take(follow({ reader, tail }, 4, {}, over.signal), 2), [6, 8])
})
