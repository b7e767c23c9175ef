import { once } from 'node:events'
import t, { type Test } from 'tap'
import { Counts } from '../../src/cache/counts.js'
import { redisClient } from '../../src/cache/redis-client.js'
import { needs, openPlace } from '../support/place.js'

const place = await openPlace(t)

/** Counts over a connection that the test ends and opens. */
async function open (t: Test) {
  const client = redisClient(place.env.REDIS_URL!, { commandTimeout: 1000 }, { onFit: () => {}, onUnfit: (why) => { throw why } })
  t.teardown(() => client.disconnect())
  await client.connect()
  const failures: Error[] = []
  const counts = new Counts(client, place.redisPrefix, (error) => failures.push(error))
  const leave = async () => {
    const ended = once(client, 'end')
    client.disconnect()
    await ended
  }
  return { counts, failures, leave, comeBack: async () => await client.connect() }
}

t.test('what could not be given back while Redis was away is, before the next is counted', needs('redis'), async (t) => {
  const { counts, failures, leave, comeBack } = await open(t)
  const bounds = [{ key: 'owed', most: 1 }]
  const first = await counts.take(bounds, 60_000)
  await leave()
  await first.giveBack()
  t.equal(failures.length, 1, 'it is told')
  await comeBack()
  const second = await counts.take(bounds, 60_000)
  t.strictSame([second.granted, second.counts], [true, [1]])
  t.equal((await counts.take(bounds, 60_000)).granted, false, 'given back once')
})

t.test('what was counted in a window that is over is not taken from the next one', needs('redis'), async (t) => {
  const { counts, leave, comeBack } = await open(t)
  const first = await counts.take([{ key: 'brief', most: 5 }], 1)
  await leave()
  await first.giveBack()
  await comeBack()
  await place.redis!.set(`${place.redisPrefix}count:brief`, 3, 'PX', 60_000)
  t.strictSame((await counts.take([{ key: 'brief', most: 5 }], 60_000)).counts, [4])
})

t.test('with Redis away this process counts and gives back for itself', needs('redis'), async (t) => {
  const { counts, leave } = await open(t)
  await leave()
  const bounds = [{ key: 'alone', most: 1 }]
  const first = await counts.take(bounds, 60_000)
  t.equal((await counts.take(bounds, 60_000)).granted, false)
  await first.giveBack()
  t.equal((await counts.take(bounds, 60_000)).granted, true)
})
