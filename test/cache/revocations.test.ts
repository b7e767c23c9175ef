import { Redis } from 'ioredis'
import t from 'tap'
import { Revocations } from '../../src/cache/revocations.js'
import { eventually } from '../support/eventually.js'
import { needs, openPlace } from '../support/place.js'

const place = await openPlace(t)

t.test('marks that the tables know nothing of refuse nothing, however many come while they are asked', needs('redis'), async (t) => {
  const redis = new Redis(place.env.REDIS_URL!, { autoResubscribe: false, lazyConnect: true })
  t.teardown(() => redis.disconnect())
  const forge = async (epoch: number) => {
    await place.redis!.publish(`${place.redisPrefix}revocations`, `1 ${epoch}`)
    await eventually('it is heard', () => revocations.isRevoked({ user_id: 1, epoch: epoch - 1 }))
  }
  let asked = 0
  const revocations: Revocations = new Revocations({
    redis,
    prefix: place.redisPrefix,
    lifeMs: 60_000,
    onFailure: (error) => { throw error },
    epochOf: async () => {
      await forge(1001 + asked++)
      return 1
    }
  })
  t.teardown(() => revocations.stop())
  await redis.connect()
  await eventually('it follows', () => revocations.complete)
  await forge(1000)
  t.equal(await revocations.isOver({ user_id: 1, epoch: 1 }), false)
  t.equal(await revocations.isOver({ user_id: 1, epoch: 0 }), true, 'what the tables know of is over')
  t.equal(asked, 2)
})

t.test('a mark above what the tables say takes no session back that they know is over', needs('redis'), async (t) => {
  const redis = new Redis(place.env.REDIS_URL!, { autoResubscribe: false, lazyConnect: true })
  t.teardown(() => redis.disconnect())
  const revocations = new Revocations({ redis, prefix: place.redisPrefix, lifeMs: 60_000, onFailure: (error) => { throw error }, epochOf: async () => 1 })
  t.teardown(() => revocations.stop())
  await redis.connect()
  await eventually('it follows', () => revocations.complete)
  await place.redis!.publish(`${place.redisPrefix}revocations`, '2 1000')
  await eventually('it is heard', () => revocations.isRevoked({ user_id: 2, epoch: 999 }))
  t.equal(await revocations.isOver({ user_id: 2, epoch: 1 }), false)
  t.equal(revocations.isRevoked({ user_id: 2, epoch: 1 }), false, 'the forged one is gone')
  t.equal(revocations.isRevoked({ user_id: 2, epoch: 0 }), true, 'what they say stands in its place')
})
