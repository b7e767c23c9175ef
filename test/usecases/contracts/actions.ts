import type { Test } from 'tap'
import type { ActionsPort } from '../../../src/usecases/ports.js'
import { type Action, actionOnUser, actorOf, commandLine } from '../../../src/users/actions.js'

export interface OpenedActions {
  actions: ActionsPort
  /** Oldest first. */
  recorded (): Promise<Action[]>
  /** They cannot be recorded from now on. */
  cut (): void
}

export function actionsContract (t: Test, open: (t: Test) => Promise<OpenedActions>): void {
  const some: Action[] = [
    actionOnUser(actorOf({ user_id: 9, role: 'operator', request_id: 'one' }), 'user.read', 1),
    actionOnUser(actorOf({ user_id: 1, role: 'customer', request_id: 'two' }), 'sessions.ended', 1),
    { ...commandLine('ana'), action: 'parked.replayed', target_kind: 'parked_event', target_id: 'ab12' }
  ]

  t.test('what is recorded is kept as it is, in its order, the same twice', async (t) => {
    const { actions, recorded } = await open(t)
    for (const action of [...some, some[0]!]) await actions.record(action)
    t.strictSame(await recorded(), [...some, some[0]])
  })

  t.test('where it cannot be recorded it throws that', async (t) => {
    const { actions, cut } = await open(t)
    cut()
    await t.rejects(actions.record(some[0]!), { name: 'StoreError', code: 'unavailable' })
  })
}
