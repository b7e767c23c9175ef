import type { Test } from 'tap'
import type { CountsPort } from '../../../src/usecases/ports.js'
import { eventually } from '../../support/eventually.js'

export interface OpenedCounts {
  /** Two processes that count together. */
  processes: [CountsPort, CountsPort]
}

const LONG = 60_000

export function countsContract (t: Test, open: (t: Test) => Promise<OpenedCounts>): void {
  t.test('what is counted by one is counted by all, under each key apart', async (t) => {
    const { processes: [here, elsewhere] } = await open(t)
    const both = [{ key: 'a', most: 3 }, { key: 'b', most: Infinity }]
    t.match(await here.take(both, LONG), { granted: true, counts: [1, 1] })
    t.match(await elsewhere.take(both, LONG), { granted: true, counts: [2, 2] })
    const { granted, counts, endsInMs } = await here.take([{ key: 'b', most: 4 }], LONG)
    t.strictSame([granted, counts], [true, [3]])
    t.ok(endsInMs > LONG / 2 && endsInMs <= LONG, `${endsInMs} ms`)
  })

  t.test('where one bound is reached nothing is counted, and it says when its window ends', async (t) => {
    const { processes: [here, elsewhere] } = await open(t)
    await here.take([{ key: 'short', most: 1 }], 300)
    const refused = await elsewhere.take([{ key: 'free', most: 5 }, { key: 'short', most: 1 }], 300)
    t.equal(refused.granted, false)
    t.ok(refused.endsInMs > 0 && refused.endsInMs <= 300, `${refused.endsInMs} ms`)
    t.match(await here.take([{ key: 'free', most: 5 }], LONG), { counts: [1] })
    await eventually('the window ends', async () => (await here.take([{ key: 'short', most: 1 }], 300)).granted)
  })

  t.test('of many at once no more are granted than may be', async (t) => {
    const { processes } = await open(t)
    const taken = await Promise.all(Array.from({ length: 20 }, async (_, index) => await processes[index % 2]!.take([{ key: 'a', most: 7 }], LONG)))
    t.equal(taken.filter(({ granted }) => granted).length, 7)
  })

  t.test('what did not happen after all is given back', async (t) => {
    const { processes: [here, elsewhere] } = await open(t)
    const both = [{ key: 'a', most: 1 }, { key: 'b', most: Infinity }]
    const taken = await here.take(both, LONG)
    t.equal((await elsewhere.take(both, LONG)).granted, false)
    await taken.giveBack()
    t.match(await elsewhere.take(both, LONG), { granted: true, counts: [1, 1] })
  })
}
