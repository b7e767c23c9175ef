import t from 'tap'
import { check, type Verdict, VERDICTS } from '../../drill/checker.js'
import type { Told, Way } from '../../drill/telling.js'
import { idOf, Planted } from './histories.js'

type Telling = Record<Way, Told[]>

/** Each verdict with evidence, and how much; of listeners who were told what stands in the tables, or else. */
function found (planted: Planted, mishear: (telling: Telling) => void = () => {}): Partial<Record<Verdict, number>> {
  const telling = planted.telling()
  mishear(telling)
  return Object.fromEntries(Object.entries(check(planted.ops, planted.tables, telling)).filter(([, evidence]) => evidence.length > 0).map(([name, evidence]) => [name, evidence.length]))
}

t.test('a history in which everything is right has no violation', async (t) => {
  const planted = new Planted()
  planted.amend('c1-1', { item_quantity: 7 })
  planted.read('c1-1')
  t.same(found(planted), {})
})

t.test('what nobody knows, and what was refused, may go either way', async (t) => {
  const planted = new Planted()
  planted.op({ kind: 'place', token: 'c1-7', line: { item_description: 'drill c1-7', item_quantity: 1, item_price: 1 }, outcome: 'info', status: 0 })
  planted.op({ kind: 'place', token: 'c1-8', line: { item_description: 'drill c1-8', item_quantity: 1, item_price: 1 }, outcome: 'fail', status: 503, problem: 'not-accepted' })
  planted.place('c1-9')
  const placed = planted.ops.find(({ token }) => token === 'c1-9')!
  Object.assign(placed, { outcome: 'info', status: 0, seen: [] })
  planted.op({ kind: 'read', order_id: idOf('c1-2'), outcome: 'fail', status: 404, problem: 'order-not-visible-yet' })
  t.same(found(planted), {})
})

t.test('a change to what already is, and one that was recorded as rejected, are not lost', async (t) => {
  const planted = new Planted()
  const { seen } = planted.amend('c1-1', { item_quantity: 7 })
  planted.op({ kind: 'amend', order_id: idOf('c1-1'), change: { item_quantity: 7 }, seen, status: 202 })
  const rival = { ...seen[0]!, item_quantity: 9, total_value: 4500 }
  const op = planted.op({ kind: 'amend', order_id: idOf('c1-1'), change: { item_quantity: 9 }, seen: [rival], status: 202 })
  const { event_id, base } = planted.tables.events.at(-1)!
  planted.tables.events.push({ ...planted.tables.events.at(-1)!, event_id: idOf('rival'), position: 99, base, request_id: op.request_id, outcome: 'rejected', reason: 'superseded', data: { ...rival, user_id: 1, event_id } })
  t.same(found(planted), {})
})

t.test('a placement that is recorded as rejected is lost unless its reader is told', async (t) => {
  const planted = new Planted()
  const shown = planted.read('c1-2')
  planted.tables.orders = planted.tables.orders.filter(({ order_id }) => order_id !== shown.order_id)
  Object.assign(planted.tables.events.find(({ order_id }) => order_id === shown.order_id)!, { outcome: 'rejected', reason: 'unknown_user' })
  t.same(found(planted), { lost: 1 })
  planted.op({ kind: 'read', order_id: shown.order_id, seen: [{ ...shown, status: 'rejected' }] })
  t.same(found(planted), {})
})

const MISHEARD = {
  untold: ({ exchange }) => { exchange.splice(1, 1) },
  invented: ({ stream }) => { stream.push({ ...stream[0]!, id: idOf('no event'), order_id: idOf('no order'), position: 99 }) },
  misplaced: ({ exchange }) => { exchange.reverse() },
  retold: ({ stream }) => { stream.push(stream[1]!) }
} satisfies Partial<Record<Verdict, (telling: Telling) => void>>

for (const [verdict, mishear] of Object.entries(MISHEARD)) {
  t.test(`${verdict} is found, and nothing else: ${VERDICTS[verdict as Verdict]}`, async (t) => {
    const planted = new Planted()
    planted.amend('c1-1', { item_quantity: 7 })
    t.same(found(planted), {})
    t.same(Object.keys(found(planted, mishear)), [verdict])
  })
}

t.test('listeners may miss what waits, hear again from the exchange, and be told of lost changes behind later versions', async (t) => {
  const planted = new Planted()
  for (const item_quantity of [7, 8]) planted.amend('c1-1', { item_quantity })
  const [, earlier] = planted.tables.events.filter(({ order_id }) => order_id === idOf('c1-1'))
  const op = planted.op({ kind: 'amend', order_id: idOf('c1-1'), change: { item_quantity: 9 }, status: 202, outcome: 'info' })
  planted.tables.events.push({ ...earlier!, event_id: idOf('rival'), request_id: op.request_id, outcome: 'rejected', reason: 'superseded', position: 98 })
  planted.tables.events.push({ ...earlier!, event_id: idOf('waits'), request_id: op.request_id, outcome: 'waiting', position: null })
  t.same(found(planted, ({ exchange }) => { exchange.push(...exchange.slice(1, 3)) }), {})
})

t.test('other ways of telling wrongly', async (t) => {
  const wrongly = (mishear: (telling: Telling) => void) => {
    const planted = new Planted()
    planted.amend('c1-1', { item_quantity: 7 })
    return found(planted, mishear)
  }
  const changed = (change: Partial<Told>) => wrongly(({ stream }) => { stream[3] = { ...stream[3]!, ...change } })
  t.same(changed({ type: 'comanda.order.paid' }), { invented: 1 }, 'another type')
  t.same(changed({ version: 3 }), { invented: 1 }, 'another version')
  t.same(changed({ position: 100 }), { invented: 1 }, 'another position')
  t.same(changed({ order_id: idOf('c1-2') }), { invented: 1 }, 'another order')
  t.same(wrongly((telling) => { telling.stream = [] }), { untold: 4 }, 'nothing at all')
  t.same(wrongly(({ exchange }) => { exchange.push({ ...exchange[0]!, version: 1, position: 200, id: idOf('late') }) }), { invented: 1, misplaced: 1 }, 'an earlier version of an order behind a later one')
})

t.test('what the broker marks as redelivered may come behind later ones, and nothing else of the exchange may', async (t) => {
  const late = (mark: Partial<Told>) => {
    const planted = new Planted()
    planted.amend('c1-1', { item_quantity: 7 })
    return found(planted, ({ exchange }) => { exchange.push({ ...exchange.shift()!, ...mark }) })
  }
  t.same(late({ redelivered: true }), {})
  t.same(late({}), { misplaced: 2 })
})

t.test('webhooks may be told of another order first, and again, but of an order\'s versions in their order', async (t) => {
  const wrongly = (mishear: (telling: Telling) => void) => {
    const planted = new Planted()
    planted.amend('c1-1', { item_quantity: 7 })
    return found(planted, mishear)
  }
  const isOf = (order: string) => ({ order_id }: Told) => order_id === idOf(order)
  t.same(wrongly((telling) => { telling.webhook = [...telling.webhook.filter((one) => !isOf('c1-1')(one)), ...telling.webhook.filter(isOf('c1-1'))] }), {}, 'another first')
  t.same(wrongly(({ webhook }) => { webhook.push(webhook[0]!) }), {}, 'again')
  t.same(wrongly(({ webhook }) => { webhook.reverse() }), { misplaced: 1 })
  t.same(wrongly(({ webhook }) => { webhook.pop() }), { untold: 1 })
})

t.test('of an event that was decided anew each verdict is told under its own id', async (t) => {
  const planted = new Planted()
  Object.assign(planted.tables.events.at(-1)!, { reopened: 1 })
  t.same(found(planted), { untold: 3, invented: 3 })
  t.same(found(planted, (telling) => { for (const told of Object.values(telling)) told.push({ ...told.at(-1)!, id: `${told.pop()!.id}.2` }) }), {})
})

const SPOILT: Record<Exclude<Verdict, keyof typeof MISHEARD>, (planted: Planted) => void> = {
  lost: (planted) => planted.lose('c1-2'),
  doubled: (planted) => {
    const row = planted.row('c1-2')
    planted.event('order.placed', { ...row, order_id: idOf('its double'), status: 'accepted' }, null, planted.ops.find(({ token }) => token === 'c1-2')!)
  },
  wrong_totals: (planted) => { planted.row('c1-2').total_value++ },
  broken_chains: (planted) => {
    planted.amend('c1-2', { item_quantity: 4 })
    planted.tables.events.at(-1)!.base = idOf('something else')
  },
  unexplained: (planted) => {
    planted.place('c1-9')
    planted.ops.splice(-2)
  },
  changed: (planted) => {
    for (const each of [planted.row('c1-2'), planted.tables.events.find(({ order_id }) => order_id === idOf('c1-2'))!.data]) Object.assign(each, { item_price: 1, total_value: 2 })
  },
  lost_changes: (planted) => {
    planted.amend('c1-2', { item_quantity: 4 })
    const lost = planted.tables.events.pop()!
    Object.assign(planted.row('c1-2'), { item_quantity: 2, total_value: 1000, version: 1, event_id: lost.base })
  },
  vanished: (planted) => { planted.op({ kind: 'read', order_id: idOf('c1-2'), outcome: 'fail', status: 404, problem: 'order-not-found' }) },
  regressed: (planted) => {
    const before = planted.read('c1-2')
    planted.amend('c1-2', { item_quantity: 4 })
    planted.read('c1-2')
    planted.op({ kind: 'read', order_id: before.order_id, seen: [before] })
  },
  parked: (planted) => { planted.tables.parked.push({ source: 'queue', reason: 'malformed', attempts: 1, raw: 'not JSON' }) }
}

for (const [verdict, spoil] of Object.entries(SPOILT)) {
  t.test(`${verdict} is found, and nothing else: ${VERDICTS[verdict as Verdict]}`, async (t) => {
    const planted = new Planted()
    spoil(planted)
    t.same(Object.keys(found(planted)), [verdict])
  })
}

t.test('other faults of the same kinds', async (t) => {
  const spoilt = (spoil: (planted: Planted) => void) => {
    const planted = new Planted()
    spoil(planted)
    return found(planted)
  }
  t.same(spoilt((planted) => {
    planted.op({ kind: 'place', token: 'c1-1', key: 'key-c1-1', line: planted.ops[0]!.line!, seen: [{ ...planted.ops[0]!.seen[0]!, order_id: idOf('another') }], status: 202 })
  }), { lost: 1, doubled: 1 }, 'one key, two orders')
  t.same(spoilt((planted) => {
    planted.amend('c1-2', { item_quantity: 4 })
    const last = planted.tables.events.at(-1)!
    planted.tables.events.push({ ...last, version: 3, base: last.event_id, event_id: idOf('once more'), position: 99 })
    Object.assign(planted.row('c1-2'), { version: 3, event_id: idOf('once more') })
  }), { doubled: 1 }, 'one change, applied twice')
  t.same(spoilt((planted) => { planted.tables.events.push(planted.tables.events[0]!) }), { doubled: 1, broken_chains: 1 }, 'one event, applied twice')
  t.same(spoilt((planted) => Object.assign(planted.ops.find(({ token }) => token === 'c1-2')!, { outcome: 'fail', status: 400, seen: [] })), { unexplained: 2 }, 'refused, and booked all the same')
  t.same(spoilt((planted) => { planted.row('c1-2').status = 'paid' }), { broken_chains: 1 }, 'a row that is not what its chain left')
  t.same(spoilt((planted) => { planted.tables.events = planted.tables.events.filter(({ order_id }) => order_id !== idOf('c1-2')) }), { broken_chains: 1 }, 'a row without events')
  t.same(spoilt((planted) => {
    const { seen: [shown] } = planted.amend('c1-2', { item_quantity: 4 })
    planted.ops.at(-1)!.outcome = 'fail'
    planted.ops.at(-1)!.seen = []
    t.ok(shown)
  }), { unexplained: 1 }, 'a change that was refused, and applied all the same')
})
