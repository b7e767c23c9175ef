import type { SerializedEvent } from '../orders/envelope.js'
import type { OrderEvent } from '../orders/event.js'
import type { KeyRecord, KeyUse } from '../orders/identity.js'
import type { Order } from '../orders/order.js'
import type { OrderFilter } from '../orders/page.js'
import type { TimelineEnd, TimelineEntry } from '../orders/timeline.js'
import type { FoundView, OrderView } from '../orders/view.js'
import type { Action, Requester } from '../users/actions.js'
import type { Session } from '../users/session.js'
import type { Credentials, PersonChange, Registration, User } from '../users/user.js'

/** Takes an order event so that it cannot be lost any more. @throws OrderError `not_accepted` or `outcome_unknown` */
export interface IntakePort {
  take (serialized: SerializedEvent): Promise<unknown>
  /** In as few messages as their limit allows; one promise an event, in their order. */
  takeAll (events: readonly SerializedEvent[]): Array<Promise<unknown>>
}

/** Views of orders, fast and forgetful: never throws, a failure is a miss. */
export interface ViewsPort {
  get (orderId: string): Promise<FoundView>
  /** Each is written only over a lower rank, or over the view of the rejected event that it `replaces`. `serialized`: the event it shows, if at hand. */
  put (views: ReadonlyArray<{ view: OrderView, replaces?: string, serialized?: SerializedEvent }>): Promise<unknown>
  /** The cache was out of sight or emptied lately: views may be missing, or be older than what was seen elsewhere. */
  readonly inDoubt: boolean
  /** Whether a view may be missing that is newer than this moment (milliseconds since 1970), or, for null, any view of an order. */
  mayMiss (since: number | null): boolean
}

/** Who is changing a version of an order just now. Never throws: where it cannot be asked every change wins, and the chain decides. */
export interface ChangeLocksPort {
  /** Whether this event may change the version; of several at once the first. */
  take (orderId: string, version: number, eventId: string): Promise<boolean>
  release (orderId: string, version: number): Promise<unknown>
}

/** Which keys were used, for 24 hours: it only makes answers nicer. Never throws; what cannot be asked was never used. */
export interface KeysPort {
  /** Records each use where the key has none, and gives back what stood before, in their order. */
  begin (uses: readonly KeyUse[]): Promise<Array<KeyRecord | null>>
  accept (uses: readonly KeyUse[]): Promise<unknown>
  forget (uses: readonly KeyUse[]): Promise<unknown>
}

/** How often something happened lately, counted by all processes together; by this one where they cannot be asked. Never throws. */
export interface CountsPort {
  /**
   * Counts one more under every key where all bounds allow it (Infinity: none), and under none otherwise, in one step. A
   * window begins with the first that is counted. `giveBack`: it did not happen after all.
   * @returns `counts` after it; `endsInMs` until the first window, or the one that refused it, is over
   */
  take (bounds: ReadonlyArray<{ key: string, most: number }>, windowMs: number): Promise<{ granted: boolean, counts: readonly number[], endsInMs: number, giveBack: () => Promise<void> }>
}

/** What users used of their orders a minute, by all processes together. Never throws. */
export interface OrderUsePort {
  /** @param uses in milliseconds of the minute @returns milliseconds until all that was used is given back, in their order; null where it cannot be asked */
  add (uses: ReadonlyArray<{ user_id: number, ms: number }>): Promise<readonly number[] | null>
}

/** What is persisted: rows, and events still in the fallback queue. @throws StoreError when it cannot be asked */
export interface OrdersPort {
  /**
   * @param eventId of a view that is in doubt; `rejected` tells whether that event was
   * @returns `view`: the higher of row and fallback queue; a rejected placement shows as such; null when nothing is known
   */
  find (orderId: string, eventId: string | null): Promise<{ view: OrderView | null, rejected: boolean }>
  /** Newest first. */
  list (filter: OrderFilter): Promise<Order[]>
  /** Recorded events, those of the fallback queue, and `taken` ones that neither holds yet; by version. */
  timeline (orderId: string, taken: readonly OrderEvent[], page: { limit: number, after: TimelineEnd | undefined }): Promise<TimelineEntry[]>
}

/** Where the feed ends. @throws StoreError when it cannot be asked */
export interface FeedEndsPort {
  /** The position of its last event; 0 before the first. */
  end (): Promise<number>
  /** The highest position that was ever drawn, whether an event has it or not. */
  highest (): Promise<number>
}

/** Users as stored; an erased one is none. @throws StoreError when they cannot be asked */
export interface UsersPort {
  /** @throws UserError `account_taken` */
  insert (person: Registration): Promise<User>
  find (userId: number): Promise<User | null>
  /** Those behind `after`, by user_id; `nick_name`: only the one of exactly this name. */
  list (page: { after: number, limit: number, nick_name?: string | undefined }): Promise<User[]>
  /**
   * With its action `user.changed`, in one step. null when there is no such user, or nothing to change.
   * @throws UserError `account_taken`; `operator_account`: of another user, at this very moment
   */
  update (userId: number, change: PersonChange, by: Requester): Promise<User | null>
  /**
   * With its action `user.erased`, in one step.
   * @returns the epoch of sessions that begins, again for one erased before; null when there never was such a user
   * @throws UserError `operator_account`, as `update`
   */
  erase (userId: number, by: Requester): Promise<number | null>
  /** Makes an operator of a customer, with its action, in one step. null when there is no such user @returns the epoch of sessions from now on */
  promote (userId: number, by: Requester): Promise<{ epoch: number, changed: boolean } | null>
  /** true for an erased one too */
  existed (userId: number): Promise<boolean>
}

/** What a login, a renewal and a new password need of the same users. @throws StoreError when they cannot be asked */
export interface CredentialsPort {
  /** @param from where it comes from: only few are looked up at once, and those of one place wait for each other */
  ofName (nickName: string, from?: string): Promise<Credentials | null>
  ofUser (userId: number): Promise<Credentials | null>
  session (userId: number): Promise<Session | null>
  /** With its action `user.password_changed`, in one step. @returns the epoch of sessions that begins; null when the password is no longer the old one */
  replace (userId: number, hashes: { old: string, new: string }, by: Requester): Promise<number | null>
  /** Stores another hash of the same password: no session ends. One that is no longer the old one stays. */
  rehash (userId: number, hashes: { old: string, new: string }): Promise<void>
  /** With its action `sessions.ended`, in one step. @returns the epoch that begins; null when the session's own is over already */
  endSessions (session: Pick<Session, 'user_id' | 'epoch'>, by: Requester): Promise<number | null>
}

/** What was done that wrote nothing else: added to, never changed. @throws StoreError when it cannot be recorded */
export interface ActionsPort {
  record (action: Action): Promise<void>
}

/** Everything held about one person, a page at a time, so that no export is ever held as a whole. */
export interface PersonalDataPort {
  /** In this order: an event that moves on meanwhile is met again, never missed. */
  pages (userId: number): Record<'outbox' | 'parked_events' | 'order_events' | 'orders' | 'webhooks', AsyncIterable<readonly object[]>>
}

/** Sessions that ended before their time. */
export interface RevocationsPort {
  /** Ends this user's sessions of older epochs, here at once, elsewhere as soon as it is heard. Never throws. */
  mark (userId: number, epoch: number): Promise<void>
  /** Whether every mark that was shared is known here. One that could not be shared is known where it was made, which shares it as soon as it can. */
  readonly complete: boolean
}

export interface PasswordsPort {
  /** argon2id in PHC string format. Only few are worked on at once; `from`: where it comes from, those of one place wait for each other. */
  hash (password: string, from?: string): Promise<string>
  /** Whether it is among those that guessers try first, in capitals or not. */
  isCommon (password: string): Promise<boolean>
  /** Whether it was hashed at another cost than is asked for today. */
  needsRehash (hashed: string): boolean
  /** Costs the same time for an unknown user (`hashed` null), and is false then. */
  check (hashed: string | null, password: string, from?: string): Promise<boolean>
}
