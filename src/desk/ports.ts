import type { OrderEvent } from '../orders/event.js'
import type { Order } from '../orders/order.js'
import type { OrderFilter } from '../orders/page.js'
import type { OrderView } from '../orders/view.js'
import type { Credentials, Registration, User } from '../users/user.js'

/** Takes an order event so that it cannot be lost any more. @throws OrderError `not_accepted` or `outcome_unknown` */
export interface IntakePort {
  take (event: OrderEvent): Promise<unknown>
}

/** Views of orders, fast and forgetful: never throws, a failure is a miss. */
export interface ViewsPort {
  /** `asked` false: the cache could not be asked, so a missing view says nothing */
  get (orderId: string): Promise<{ view: OrderView | null, asked: boolean }>
  /** Each is written only over a lower rank. */
  put (views: ReadonlyArray<{ view: OrderView }>): Promise<unknown>
}

/** What is persisted: rows, and events still in the outbox. @throws StoreError when it cannot be asked */
export interface OrdersPort {
  /** The higher of row and outbox; a rejected placement shows as such; null when nothing is known */
  find (orderId: string): Promise<OrderView | null>
  /** Newest first. */
  list (filter: OrderFilter): Promise<Order[]>
}

/** Users as stored. @throws StoreError when they cannot be asked */
export interface UsersPort {
  /** @throws UserError `nick_name_taken` or `cpf_taken` */
  insert (person: Registration): Promise<User>
  credentials (nickName: string): Promise<Credentials | null>
}

export interface PasswordsPort {
  /** argon2id in PHC string format */
  hash (password: string): Promise<string>
  /** Costs the same time for an unknown user (`hashed` null), and is false then. */
  check (hashed: string | null, password: string): Promise<boolean>
}
