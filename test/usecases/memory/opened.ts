import type { Test } from 'tap'
import type { Action } from '../../../src/users/actions.js'
import { Counts } from '../../../src/cache/counts.js'
import type { OpenedActions } from '../contracts/actions.js'
import type { OpenedLocks } from '../contracts/change-locks.js'
import type { OpenedCounts } from '../contracts/counts.js'
import type { OpenedIntake } from '../contracts/intake.js'
import type { OpenedKeys } from '../contracts/keys.js'
import type { OpenedOrderUse } from '../contracts/order-use.js'
import type { OpenedOrders } from '../contracts/orders.js'
import type { OpenedPasswords } from '../contracts/passwords.js'
import type { Process } from '../contracts/revocations.js'
import type { OpenedUsers } from '../contracts/users.js'
import type { OpenedViews } from '../contracts/views.js'
import { MemoryActions } from './actions.js'
import { MemoryChangeLocks } from './change-locks.js'
import { type Fate, MemoryIntake } from './intake.js'
import { MemoryKeys } from './keys.js'
import { MemoryOrderUse } from './order-use.js'
import { MemoryOrders } from './orders.js'
import { MemoryPasswords } from './passwords.js'
import { MemoryPeople } from './people.js'
import { MemoryMarks, MemoryRevocations } from './revocations.js'
import { MemoryViews } from './views.js'

/** The ports in memory, as their contracts want them opened. */
export const openInMemory = {
  async views (): Promise<OpenedViews> {
    const views = new MemoryViews()
    return { views, cut: () => views.cut(), heal: () => views.heal(), empty: () => views.empty() }
  },

  async locks (): Promise<OpenedLocks> {
    const locks = new MemoryChangeLocks()
    return { locks, cut: () => locks.cut() }
  },

  async keys (): Promise<OpenedKeys> {
    const keys = new MemoryKeys()
    return { keys, cut: () => keys.cut() }
  },

  async orders (): Promise<OpenedOrders> {
    const orders = new MemoryOrders()
    return {
      orders,
      users: [1, 2],
      book: (events) => orders.book(events),
      enqueue: (events) => orders.enqueue(events),
      refuse: (event) => orders.refuse(event, 'not_storable'),
      cut: () => orders.cut()
    }
  },

  async counts (): Promise<OpenedCounts> {
    const counts = new Counts(null, '', () => {})
    return { processes: [counts, counts] }
  },

  async orderUse (): Promise<OpenedOrderUse> {
    const used = new MemoryOrderUse()
    return { processes: [used, used], cut: () => used.cut() }
  },

  async users (): Promise<OpenedUsers> {
    const actions: Action[] = []
    const people = new MemoryPeople(actions)
    return { users: people, credentials: people, recorded: async () => actions, makeOperator: (userId) => people.makeOperator(userId), cut: () => people.cut() }
  },

  async actions (): Promise<OpenedActions> {
    const actions = new MemoryActions()
    return { actions, recorded: async () => actions.recorded, cut: () => actions.cut() }
  },

  async processes (): Promise<[Process, Process]> {
    const marks = new MemoryMarks()
    const openProcess = (): Process => {
      const revocations = new MemoryRevocations(marks)
      return { revocations, cut: () => revocations.cut(), heal: () => revocations.heal() }
    }
    return [openProcess(), openProcess()]
  },

  async passwords (): Promise<OpenedPasswords> {
    const passwords = new MemoryPasswords()
    return {
      passwords,
      cost: async (work) => {
        const before = passwords.worked
        await work()
        return passwords.worked - before
      }
    }
  },

  async intake (_t: Test, fate: Fate): Promise<OpenedIntake> {
    const intake = new MemoryIntake()
    intake.fate = () => fate
    return { intake, held: async () => [...intake.taken].map(({ event_id: id }) => id) }
  }
}
