import t from 'tap'
import { OrderQuota } from '../../src/usecases/order-quota.js'
import type { OrderUsePort } from '../../src/usecases/ports.js'
import { MemoryOrderUse } from './memory/order-use.js'

/** So many processes with one bound, and a clock that the test moves. */
function open (perMinute: number, processes = 1) {
  let now = 1000
  const clock = () => now
  const shared = new MemoryOrderUse(clock)
  const quotas = Array.from({ length: processes }, () => new OrderQuota({ perMinute, shared, now: clock }))
  return { shared, quotas: quotas as [OrderQuota, OrderQuota], pass: (seconds: number) => { now += seconds * 1000 } }
}

t.test('so many orders are granted at once, and as many given back a minute', async (t) => {
  const { quotas: [quota], pass } = open(60)
  t.strictSame(quota.take(1, 1), { granted: true, left: 59, seconds: 1 })
  t.strictSame(quota.take(1, 59), { granted: true, left: 0, seconds: 60 })
  t.strictSame(quota.take(1, 1), { granted: false, left: 0, seconds: 1 })
  t.strictSame(quota.take(1, 10), { granted: false, left: 0, seconds: 10 })
  pass(9)
  t.strictSame(quota.take(1, 10), { granted: false, left: 9, seconds: 1 }, 'a refusal costs nothing')
  pass(1)
  t.strictSame(quota.take(1, 10), { granted: true, left: 0, seconds: 60 })
  pass(60)
  t.strictSame(quota.take(1, 60), { granted: true, left: 0, seconds: 60 }, 'no more gathers than a minute is worth')
})

t.test('what is given back can be taken again, and is not told to the others', async (t) => {
  const { quotas: [here, elsewhere] } = open(60, 2)
  here.take(1, 60)
  here.giveBack(1, 20)
  t.strictSame(here.take(1, 10), { granted: true, left: 10, seconds: 50 })
  await here.share()
  elsewhere.take(1, 1)
  await elsewhere.share()
  t.equal(elsewhere.take(1, 1).left, 8)
  here.giveBack(2, 1)
  t.equal(here.take(2, 1).left, 59, 'a user who took nothing gets nothing back')
})

t.test('another user is another matter', async (t) => {
  const { quotas: [quota] } = open(10)
  t.equal(quota.take(1, 10).granted, true)
  t.equal(quota.take(1, 1).granted, false)
  t.equal(quota.take(2, 10).granted, true)
})

t.test('a batch is granted whole or not at all; one above the bound is granted where all is left, and waited off', async (t) => {
  const { quotas: [quota], pass } = open(60)
  quota.take(1, 30)
  t.strictSame(quota.take(1, 31), { granted: false, left: 30, seconds: 1 })
  t.strictSame(quota.take(1, 30), { granted: true, left: 0, seconds: 60 })
  t.equal(quota.take(2, 500).granted, true)
  pass(439)
  t.strictSame(quota.take(2, 1), { granted: false, left: 0, seconds: 2 })
  pass(2)
  t.equal(quota.take(2, 1).granted, true)
})

t.test('over any length of time nobody gets more than the bound a minute, and one minute\'s worth', async (t) => {
  const { quotas: [quota], pass } = open(6000)
  let granted = 0
  for (let step = 0; step < 3000; step++) {
    for (const orders of [1, 500, 7]) if (quota.take(1, orders).granted) granted += orders
    pass(0.1)
  }
  t.ok(granted <= 6000 * 6, `${granted} in five minutes`)
  t.ok(granted > 6000 * 6 - 500, `${granted} in five minutes: no less either`)
})

t.test('what one process granted another knows as soon as both have told it', async (t) => {
  const { quotas: [here, elsewhere], pass } = open(60, 2)
  here.take(1, 40)
  elsewhere.take(1, 1)
  await here.share()
  await elsewhere.share()
  t.strictSame(elsewhere.take(1, 20), { granted: false, left: 19, seconds: 1 })
  t.equal(elsewhere.take(1, 19).granted, true)
  await elsewhere.share()
  here.take(1, 1) // it has not heard yet
  await here.share()
  t.strictSame(here.take(1, 1), { granted: false, left: 0, seconds: 2 }, 'and what was granted too much is waited off')
  pass(2)
  t.equal(here.take(1, 1).granted, true)
})

t.test('what is used while it is told is not forgotten', async (t) => {
  const { quotas: [here, elsewhere] } = open(60, 2)
  elsewhere.take(1, 20)
  await elsewhere.share()
  here.take(1, 10)
  const telling = here.share()
  here.take(1, 5)
  await telling
  t.equal(here.take(1, 1).left, 24)
  await here.share()
  await elsewhere.share()
  elsewhere.take(1, 1)
  await elsewhere.share()
  t.equal(elsewhere.take(1, 1).left, 22)
})

t.test('where nothing can be shared each process counts for itself', async (t) => {
  const { quotas: [here, elsewhere], shared, pass } = open(60, 2)
  shared.cut()
  for (const quota of [here, elsewhere]) {
    t.equal(quota.take(1, 60).granted, true)
    await quota.share()
    t.equal(quota.take(1, 1).granted, false)
  }
  pass(1)
  t.equal(here.take(1, 1).granted, true)
})

t.test('who has used nothing for long is forgotten, and only then', async (t) => {
  const { quotas: [quota], pass } = open(60)
  t.equal(quota.idle, true)
  quota.take(1, 30)
  await quota.share()
  pass(29)
  await quota.share()
  t.equal(quota.idle, false)
  t.equal(quota.take(1, 60).granted, false)
  pass(1)
  await quota.share()
  t.equal(quota.idle, true)
})

t.test('of very many users the first is forgotten, and each call tells of a few hundred', async (t) => {
  const calls: number[] = []
  const shared: OrderUsePort = {
    async add (uses) {
      calls.push(uses.length)
      return null
    }
  }
  const quota = new OrderQuota({ perMinute: 1, shared, now: () => 1 })
  for (let user = 1; user <= 100_001; user++) quota.take(user, 1)
  t.equal(quota.take(2, 1).granted, false)
  t.equal(quota.take(1, 1).granted, true, 'it was the first')
  await quota.share()
  t.ok(calls.every((users) => users <= 500) && calls.length === 200, `${calls.length} calls`)
})
