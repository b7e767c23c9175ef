import { UserAccounts } from '../../../src/usecases/user-accounts.js'
import { UserSessions } from '../../../src/usecases/user-sessions.js'
import type { Requester } from '../../../src/users/actions.js'
import type { Session } from '../../../src/users/session.js'
import type { Registration, User } from '../../../src/users/user.js'
import { someone } from '../contracts/users.js'
import { MemoryActions } from './actions.js'
import { MemoryPasswords } from './passwords.js'
import { MemoryPeople } from './people.js'
import { MemoryRevocations } from './revocations.js'

export const operator: Requester = { user_id: 1000, role: 'operator', request_id: 'by-operator' }
export const PASSWORD = 'correct horse battery'

/** The use cases of users over ports in memory, and what stands behind those. */
export function openUserService () {
  const actions = new MemoryActions()
  const [people, passwords, revocations] = [new MemoryPeople(actions.recorded), new MemoryPasswords(), new MemoryRevocations()]
  async function * pages (...all: object[][]): AsyncGenerator<object[]> { yield * all }
  const personalData = {
    pages: (userId: number) => ({ outbox: pages(), parked_events: pages([]), order_events: pages([], [{ of: userId }, { n: 2 }], [{ n: 3 }]), orders: pages([{ of: userId }], []), webhooks: pages([]) })
  }
  const accounts = new UserAccounts({ users: people, credentials: people, actions, passwords, revocations, personalData })
  const sessions = new UserSessions({ credentials: people, passwords, revocations, users: people })
  return {
    people,
    actions,
    passwords,
    revocations,
    accounts,
    sessions,
    /** Registered and logged in. */
    newcomer: async (given: Partial<Registration> = {}): Promise<{ user: User & Requester, session: Session & Requester }> => {
      const person = someone({ password: PASSWORD, ...given })
      const by = { request_id: 'by-user' }
      return { user: { ...await accounts.register(person), ...by }, session: { ...await sessions.login(person.nick_name, person.password), ...by } }
    }
  }
}
