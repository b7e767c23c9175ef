import t from 'tap'
import { Lanes } from '../../src/relay/lanes.js'
import type { Claimed } from '../../src/store/webhook-deliveries.js'
import { eventually } from '../support/eventually.js'

const claimed = (webhook_id: string, delivery_id: number) => ({ webhook_id, delivery_id }) as Claimed

/** Lanes whose attempts end when they are told to. */
function open ({ share = 2, most = 3, waitMs = 60_000 } = {}) {
  const [begun, givenBack] = [[] as string[], [] as number[]]
  const ends = new Map<number, () => void>()
  const lanes = new Lanes({
    share,
    most,
    waitMs,
    attempt: async ({ webhook_id, delivery_id }) => {
      begun.push(`${webhook_id}${delivery_id}`)
      await new Promise<void>((resolve) => ends.set(delivery_id, resolve))
    },
    giveBack: ({ delivery_id }) => { givenBack.push(delivery_id) }
  })
  return { lanes, begun, givenBack, end: (id: number) => ends.get(id)!() }
}

t.test('of one endpoint so many are under way as its share, of all so many as there is room for; the rest waits its turn', async (t) => {
  const { lanes, begun, end } = open()
  for (const id of [1, 2, 3]) lanes.add(claimed('a', id))
  for (const id of [4, 5]) lanes.add(claimed('b', id))
  t.strictSame(begun, ['a1', 'a2', 'b4'])
  t.strictSame([...lanes.held], [['a', 3], ['b', 2]])
  end(4)
  await eventually('another begins', () => begun.length === 4)
  t.equal(begun[3], 'b5', 'of its own lane first')
  end(1)
  await eventually('another begins', () => begun.length === 5)
  for (const id of [2, 3, 5]) end(id)
  await lanes.close()
  t.equal(lanes.held.size, 0)
})

t.test('room that one lane leaves is another\'s', async (t) => {
  const { lanes, begun, end } = open({ share: 2, most: 2 })
  lanes.add(claimed('a', 1))
  lanes.add(claimed('a', 2))
  lanes.add(claimed('b', 3))
  t.strictSame(begun, ['a1', 'a2'])
  end(1)
  await eventually('the other lane begins', () => begun.includes('b3'))
  for (const id of [2, 3]) end(id)
  await lanes.close()
})

t.test('one that has waited for longer than its lease allows is given back, and so is what waits when it closes', async (t) => {
  const { lanes, begun, givenBack, end } = open({ share: 1, waitMs: 50 })
  lanes.add(claimed('a', 1))
  const added = performance.now()
  lanes.add(claimed('a', 2))
  await eventually('time passes', () => performance.now() > added + 51)
  end(1)
  await eventually('it is given back', () => givenBack.length === 1)
  t.strictSame([begun, givenBack], [['a1'], [2]])
  const closing = open({ share: 1 })
  for (const id of [1, 2]) closing.lanes.add(claimed('a', id))
  const closed = closing.lanes.close()
  t.strictSame(closing.givenBack, [2])
  closing.end(1)
  await closed
})
