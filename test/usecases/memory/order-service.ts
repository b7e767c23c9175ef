import { newId } from '../../../src/ids.js'
import type { OrderInput } from '../../../src/orders/order.js'
import type { Precondition } from '../../../src/orders/precondition.js'
import { OrderChanges, type ChangeRequest } from '../../../src/usecases/order-changes.js'
import { OrderPlacement, type Placed, type PlaceRequest } from '../../../src/usecases/order-placement.js'
import { OrderReader } from '../../../src/usecases/order-reader.js'
import type { Requester } from '../../../src/users/actions.js'
import { MemoryActions } from './actions.js'
import { MemoryChangeLocks } from './change-locks.js'
import { MemoryIntake } from './intake.js'
import { MemoryKeys } from './keys.js'
import { MemoryOrders } from './orders.js'
import { MemoryViews } from './views.js'

export const ana: Requester = { user_id: 1, role: 'customer', request_id: 'test' }
export const bia: Requester = { user_id: 2, role: 'customer', request_id: 'test' }
export const operator: Requester = { user_id: 9, role: 'operator', request_id: 'test' }
export const line: OrderInput = { item_description: 'Café', item_quantity: 3, item_price: 1990 }

export function placing (given: Partial<PlaceRequest> = {}): PlaceRequest {
  return { caller: ana, input: line, request_id: 'test', ...given }
}

export function changing (order_id: string, caller: Requester = ana, precondition: Precondition = null): ChangeRequest {
  return { order_id, caller, request_id: 'test', precondition }
}

interface Options {
  /** false: there is none, as in a service without Redis */
  cache?: boolean
  /** What stands between a use case and each of its ports. */
  through?: <T extends object>(port: T) => T
}

/** The use cases of orders over ports in memory, and what stands behind those. */
export function openOrderService ({ cache = true, through = (port) => port }: Options = {}) {
  const [views, locks, keys, orders, intake] = [new MemoryViews(), new MemoryChangeLocks(), new MemoryKeys(), new MemoryOrders(), new MemoryIntake()]
  const actions = new MemoryActions()
  const known = cache ? through(views) : null
  const taking = through(intake)
  const reader = new OrderReader({ views: known, orders: through(orders), actions: through(actions), mayBeHidden: (asked, since) => !cache || !asked || views.mayMiss(since) })
  const placement = new OrderPlacement({ intake: taking, views: known, keys: cache ? through(keys) : null, newId })
  const changes = new OrderChanges({ reader, intake: taking, views: known, changeLocks: cache ? through(locks) : null, newId })

  /** What a worker does with all that was taken: applies it and shows what became of it. */
  const book = async (): Promise<void> => {
    const events = [...intake.taken]
    orders.book(events)
    for (const { event_id: id, order: { order_id: orderId } } of events) {
      const { view, rejected } = await orders.find(orderId, id)
      if (view) await known?.put([{ view, ...(rejected ? { replaces: id } : {}) }])
    }
  }

  return {
    actions,
    views,
    locks,
    keys,
    orders,
    intake,
    reader,
    placement,
    changes,
    book,
    taken: () => [...intake.taken],
    shown: async (orderId: string) => (await views.get(orderId)).view,
    /** An order that is booked and shown so. */
    booked: async (caller: Requester = ana): Promise<Placed> => {
      const placed = await placement.place(placing({ caller }))
      await book()
      return placed
    }
  }
}
