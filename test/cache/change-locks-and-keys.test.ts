import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import t from 'tap'
import { ChangeLocks } from '../../src/cache/change-locks.js'
import { IdempotencyKeys } from '../../src/cache/idempotency-keys.js'
import { Mac } from '../../src/secrets/mac.js'
import { EVENT_KEY } from '../support/broker.js'
import { needs, openPlace } from '../support/place.js'

const place = await openPlace(t)
const mac = new Mac([EVENT_KEY], 'idempotency key')
const fails = (error: Error) => { throw error }
const use = (order_id: string = randomUUID()) => ({ order_id, event_id: randomUUID(), now: new Date().toISOString() })
/** A client that nobody answers. */
const away = () => {
  const redis = new Redis({ port: 1, lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => null })
  redis.on('error', () => {})
  return redis
}

t.test('of several claims for one version the first wins, until it ends or is released', needs('redis'), async (t) => {
  const claims = new ChangeLocks(place.redis!, place.redisPrefix, fails)
  const id = randomUUID()
  t.strictSame(await Promise.all([1, 2, 3].map(async () => await claims.take(id, 2, randomUUID()))), [true, false, false])
  t.ok(await claims.take(id, 3, randomUUID()), 'another version')
  t.ok(await claims.take(randomUUID(), 2, randomUUID()), 'another order')
  const left = await place.redis!.pttl(`${place.redisPrefix}lock:${id}:2`)
  t.ok(left > 4500 && left <= 6000, 'it outlives the time in which an event is taken')
  await claims.release(id, 2)
  t.ok(await claims.take(id, 2, randomUUID()))
})

t.test('a key gives back what stood under it, in the same call too', needs('redis'), async (t) => {
  const keys = new IdempotencyKeys(place.redis!, place.redisPrefix, mac, fails)
  const [first, other] = [use(), use()]
  const again = use(first.order_id)
  const record = { event_id: first.event_id, now: first.now }
  t.strictSame(await keys.begin([first, other, again]), [null, null, { ...record, accepted: false }])
  await keys.accept([first])
  t.strictSame(await keys.begin([again]), [{ ...record, accepted: true }])
  await keys.forget([first])
  t.strictSame(await keys.begin([again]), [null])
  await keys.accept([])
  await keys.forget([])
})

t.test('a record that no process of ours has written for a key reads as never used, and is told', needs('redis'), async (t) => {
  const failures: Error[] = []
  const keys = new IdempotencyKeys(place.redis!, place.redisPrefix, mac, (error) => { failures.push(error) })
  const [asked, other] = [use(), use()]
  const keyOf = ({ order_id }: { order_id: string }) => `${place.redisPrefix}key:${order_id}`
  await keys.begin([asked, other])
  const begun = (await place.redis!.get(keyOf(asked)))!
  await keys.accept([other])
  for (const forged of [begun.replace(' begun ', ' accepted '), (await place.redis!.get(keyOf(other)))!, `${asked.event_id} ${asked.now} accepted -`, `${asked.event_id} ${asked.now} accepted`, `${other.event_id} ${asked.now}`, '']) {
    await place.redis!.set(keyOf(asked), forged)
    t.strictSame(await keys.begin([asked]), [null], forged)
    t.equal(failures.splice(0).length, 1, forged)
  }
  await keys.accept([asked])
  t.match(await keys.begin([asked]), [{ accepted: true }], 'what is accepted then stands')
})

t.test('where Redis cannot be asked everybody wins and no key was ever used, and it is reported', async (t) => {
  const failures: Error[] = []
  const report = (error: Error) => { failures.push(error) }
  const claims = new ChangeLocks(away(), '', report)
  t.strictSame([await claims.take('a', 2, 'x'), await claims.take('a', 2, 'y')], [true, true])
  await claims.release('a', 2)
  t.equal(failures.length, 3)
  const keys = new IdempotencyKeys(away(), '', null, report)
  t.strictSame(await keys.begin([use(), use()]), [null, null])
  await keys.accept([use()])
  await keys.forget([use()])
  t.equal(failures.length, 6)
})
