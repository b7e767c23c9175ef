import t from 'tap'
import { OrderUse } from '../../src/cache/order-use.js'
import { needs, openPlace } from '../support/place.js'

const place = await openPlace(t)
const fails = (error: Error) => { throw error }

t.test('what nobody honest has written under a user\'s count refuses that user nothing', needs('redis'), async (t) => {
  const use = new OrderUse(place.redis!, place.redisPrefix, fails)
  const key = `${place.redisPrefix}orders-used:1`
  const forge: Record<string, () => Promise<unknown>> = {
    'far ahead': async () => await place.redis!.set(key, '9000000000000000'),
    infinite: async () => await place.redis!.set(key, 'inf'),
    'no number': async () => await place.redis!.set(key, 'nan'),
    text: async () => await place.redis!.set(key, 'abc'),
    'a list': async () => await place.redis!.lpush(key, 'x')
  }
  for (const [how, write] of Object.entries(forge)) {
    await place.redis!.del(key)
    await write()
    const [ms] = (await use.add([{ user_id: 1, ms: 1000 }]))!
    t.ok(ms! > 0 && ms! <= 1000, `${how}: ${ms}`)
    const left = await place.redis!.pttl(key)
    t.ok(left > 0 && left <= 1000, `${how}: gone in ${left} ms`)
  }
})
