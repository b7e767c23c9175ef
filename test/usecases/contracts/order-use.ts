import type { Test } from 'tap'
import type { OrderUsePort } from '../../../src/usecases/ports.js'
import { eventually } from '../../support/eventually.js'

export interface OpenedOrderUse {
  /** Two processes that share what was used. */
  processes: [OrderUsePort, OrderUsePort]
  cut (): Promise<void> | void
}

export function orderUseContract (t: Test, open: (t: Test) => Promise<OpenedOrderUse>): void {
  const about = (t: Test, used: readonly number[] | null, expected: number[]) => {
    t.equal(used?.length, expected.length)
    for (const [index, ms] of expected.entries()) t.ok(used![index]! <= ms && used![index]! > ms - 10_000, `${used![index]} of ${ms}`)
  }

  t.test('what all processes used adds up, for each user apart', async (t) => {
    const { processes: [here, elsewhere] } = await open(t)
    about(t, await here.add([{ user_id: 1, ms: 20_000 }, { user_id: 2, ms: 50_000.25 }]), [20_000, 50_001])
    about(t, await elsewhere.add([{ user_id: 1, ms: 30_000 }, { user_id: 3, ms: 40_000 }]), [50_000, 40_000])
    about(t, await here.add([{ user_id: 1, ms: 100_000 }]), [150_000])
  })

  t.test('it is given back with time, and then nothing is left of it', async (t) => {
    const { processes: [here, elsewhere] } = await open(t)
    await here.add([{ user_id: 1, ms: 50 }])
    await eventually('it is given back', async () => (await elsewhere.add([{ user_id: 1, ms: 0 }]))![0]! <= 0)
  })

  t.test('where it cannot be asked nothing is told and nothing is thrown', async (t) => {
    const { processes: [here], cut } = await open(t)
    await cut()
    t.equal(await here.add([{ user_id: 1, ms: 50 }]), null)
  })
}
