import { UserAccounts } from '../../../src/usecases/user-accounts.js'
import { UserSessions } from '../../../src/usecases/user-sessions.js'
import type { Caller } from '../../../src/users/roles.js'
import type { Session } from '../../../src/users/session.js'
import type { Registration, User } from '../../../src/users/user.js'
import { someone } from '../contracts/users.js'
import { MemoryPasswords } from './passwords.js'
import { MemoryPeople } from './people.js'
import { MemoryRevocations } from './revocations.js'

export const operator: Caller = { user_id: 1000, role: 'operator' }
export const PASSWORD = 'correct horse battery'

/** The use cases of users over ports in memory, and what stands behind those. */
export function openUserService () {
  const [people, passwords, revocations] = [new MemoryPeople(), new MemoryPasswords(), new MemoryRevocations()]
  async function * pages (...all: object[][]): AsyncGenerator<object[]> { yield * all }
  const personalData = {
    pages: (userId: number) => ({ outbox: pages(), parked_events: pages([]), order_events: pages([], [{ of: userId }, { n: 2 }], [{ n: 3 }]), orders: pages([{ of: userId }], []) })
  }
  const accounts = new UserAccounts({ users: people, passwords, revocations, personalData })
  const sessions = new UserSessions({ credentials: people, passwords, revocations })
  return {
    people,
    passwords,
    revocations,
    accounts,
    sessions,
    /** Registered and logged in. */
    newcomer: async (given: Partial<Registration> = {}): Promise<{ user: User, session: Session }> => {
      const person = someone({ password: PASSWORD, ...given })
      return { user: await accounts.register(person), session: await sessions.login(person.nick_name, person.password) }
    }
  }
}
