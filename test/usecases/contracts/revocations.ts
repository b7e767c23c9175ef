import type { Test } from 'tap'
import type { RevocationsPort } from '../../../src/usecases/ports.js'
import type { Session } from '../../../src/users/session.js'
import { eventually } from '../../support/eventually.js'

/** One process: a mark is seen by what it does to sessions. */
export interface Process {
  revocations: RevocationsPort & { isRevoked (session: Pick<Session, 'user_id' | 'epoch'>): boolean }
  /** Hears nothing and is not heard, until `heal`. */
  cut (): Promise<void> | void
  heal (): Promise<void> | void
}

/** @param open two processes that share their marks and know them all */
export function revocationsContract (t: Test, open: (t: Test) => Promise<[Process, Process]>): void {
  const ended = ({ revocations }: Process, user_id: number, epochs = [0, 1, 2, 3]) => epochs.filter((epoch) => revocations.isRevoked({ user_id, epoch }))

  t.test('a mark ends this user\'s sessions of older epochs, here at once and elsewhere as soon as it is heard', async (t) => {
    const [here, elsewhere] = await open(t)
    t.strictSame(ended(here, 1), [])
    const marking = here.revocations.mark(1, 2)
    t.strictSame(ended(here, 1), [0, 1])
    await marking
    await eventually('it is heard', () => ended(elsewhere, 1).length > 0)
    t.strictSame(ended(elsewhere, 1), [0, 1])
    for (const process of [here, elsewhere]) t.strictSame(ended(process, 2), [], 'of nobody else')
  })

  t.test('an older mark that comes later gives no session back', async (t) => {
    const [here, elsewhere] = await open(t)
    await here.revocations.mark(1, 3)
    await here.revocations.mark(1, 1)
    await here.revocations.mark(2, 1) // heard after both
    await eventually('all is heard', () => ended(elsewhere, 2).length > 0)
    for (const process of [here, elsewhere]) t.strictSame(ended(process, 1), [0, 1, 2])
  })

  t.test('who hears nothing knows that; once it hears again it knows what was marked meanwhile', async (t) => {
    const [here, elsewhere] = await open(t)
    t.strictSame([here.revocations.complete, elsewhere.revocations.complete], [true, true])
    await elsewhere.cut()
    await eventually('it is noticed', () => !elsewhere.revocations.complete)
    await here.revocations.mark(1, 1)
    t.strictSame(ended(elsewhere, 1), [])
    await elsewhere.heal()
    await eventually('it hears again', () => elsewhere.revocations.complete)
    t.strictSame(ended(elsewhere, 1), [0])
  })

  t.test('a mark that cannot be shared is known here, and everywhere once it can; nothing is thrown', async (t) => {
    const [here, elsewhere] = await open(t)
    await here.cut()
    await here.revocations.mark(1, 1)
    t.strictSame([ended(here, 1), ended(elsewhere, 1)], [[0], []])
    await here.heal()
    await eventually('it hears again', () => here.revocations.complete)
    await eventually('the other has heard of it', () => ended(elsewhere, 1).length > 0)
    t.strictSame([ended(here, 1), ended(elsewhere, 1)], [[0], [0]])
  })
}
