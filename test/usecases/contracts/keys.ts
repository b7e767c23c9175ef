import type { Test } from 'tap'
import { newId } from '../../../src/ids.js'
import type { KeysPort } from '../../../src/usecases/ports.js'

export interface OpenedKeys {
  keys: KeysPort
  cut (): Promise<void> | void
}

const use = (order_id = newId()) => ({ order_id, event_id: newId(), now: new Date().toISOString() })
const recordOf = ({ event_id, now }: ReturnType<typeof use>, accepted: boolean) => ({ event_id, now, accepted })

export function keysContract (t: Test, open: (t: Test) => Promise<OpenedKeys>): void {
  t.test('a use is recorded where its key has none, and what stood before is given back, in their order', async (t) => {
    const { keys } = await open(t)
    const [first, second, third] = [use(), use(), use()]
    t.strictSame(await keys.begin([first]), [null])
    t.strictSame(await keys.begin([second, use(first.order_id), third]), [null, recordOf(first, false), null])
    t.strictSame(await keys.begin([third, first, second].map(({ order_id: id }) => use(id))), [third, first, second].map((one) => recordOf(one, false)))
    t.strictSame(await keys.begin([]), [])
  })

  t.test('a key twice in one call is found the second time', async (t) => {
    const { keys } = await open(t)
    const first = use()
    t.strictSame(await keys.begin([first, use(first.order_id)]), [null, recordOf(first, false)])
  })

  t.test('an accepted use says so from then on', async (t) => {
    const { keys } = await open(t)
    const [one, other] = [use(), use()]
    await keys.begin([one, other])
    await keys.accept([one])
    t.strictSame(await keys.begin([use(one.order_id), use(other.order_id)]), [recordOf(one, true), recordOf(other, false)])
    await keys.accept([])
  })

  t.test('a forgotten key was never used', async (t) => {
    const { keys } = await open(t)
    const [one, other] = [use(), use()]
    const again = use(one.order_id)
    await keys.begin([one, other])
    await keys.forget([one])
    t.strictSame(await keys.begin([again, use(other.order_id)]), [null, recordOf(other, false)])
    t.strictSame(await keys.begin([use(one.order_id)]), [recordOf(again, false)])
    await keys.forget([])
  })

  t.test('where it cannot be asked no key was ever used, and nothing is thrown', async (t) => {
    const { keys, cut } = await open(t)
    const one = use()
    await keys.begin([one])
    await cut()
    t.strictSame(await keys.begin([one, one]), [null, null])
    await keys.accept([one])
    await keys.forget([one])
  })
}
