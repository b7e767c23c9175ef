import type { Test } from 'tap'
import { newId } from '../../../src/ids.js'
import type { ChangeLocksPort } from '../../../src/usecases/ports.js'

export interface OpenedLocks {
  locks: ChangeLocksPort
  cut (): Promise<void> | void
}

export function changeLocksContract (t: Test, open: (t: Test) => Promise<OpenedLocks>): void {
  t.test('of several events that would change a version the first may, and the others not', async (t) => {
    const { locks } = await open(t)
    const id = newId()
    t.strictSame(await Promise.all([1, 2, 3].map(async () => await locks.take(id, 2, newId()))), [true, false, false])
    t.equal(await locks.take(id, 2, newId()), false)
    t.equal(await locks.take(id, 3, newId()), true, 'another version')
    t.equal(await locks.take(newId(), 2, newId()), true, 'another order')
  })

  t.test('a version that was released is free again, and no other is', async (t) => {
    const { locks } = await open(t)
    const id = newId()
    for (const version of [2, 3]) await locks.take(id, version, newId())
    await locks.release(id, 2)
    t.equal(await locks.take(id, 3, newId()), false)
    t.strictSame([await locks.take(id, 2, newId()), await locks.take(id, 2, newId())], [true, false])
    await locks.release(newId(), 2) // never taken
  })

  t.test('where it cannot be asked every event may, and nothing is thrown', async (t) => {
    const { locks, cut } = await open(t)
    const id = newId()
    await locks.take(id, 2, newId())
    await cut()
    t.strictSame([await locks.take(id, 2, newId()), await locks.take(id, 2, newId())], [true, true])
    await locks.release(id, 2)
  })
}
