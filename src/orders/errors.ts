import type { Order } from './order.js'

/** Stable codes; what a client reads of each stands in http/problems.ts. */
export type OrderErrorCode =
  | 'order_not_found'
  | 'not_owner' // for the order's owner alone
  | 'illegal_move' // the lifecycle knows no such move from the order's status
  | 'not_amendable' // it is paid or further
  | 'stale' // the precondition names another version
  | 'lost_race' // another change of the same version is being taken
  | 'version_not_visible_yet' // the precondition names a version that may be in the broker's queue
  | 'key_reused' // the key names another body
  | 'bad_cursor' // not one that this service gave out
  | 'forbidden' // for operators only
  | 'order_not_visible_yet' // it may be in the broker's queue, and the view that would show it cannot be read
  | 'not_accepted' // neither the broker nor Postgres took it; nothing was written
  | 'outcome_unknown' // it may have been written; repeating with the same key is safe

export class OrderError extends Error {
  override readonly name = 'OrderError'
  readonly code: OrderErrorCode
  /** The order as it is, where the client should read it again. */
  readonly present: Pick<Order, 'version' | 'status'> | undefined
  /** The event that was not taken, or perhaps was, for a reader of the logs. */
  readonly about: { order_id: string, event_id: string } | undefined

  constructor (code: OrderErrorCode, options?: ErrorOptions & { present?: Pick<Order, 'version' | 'status'>, about?: { order_id: string, event_id: string } }) {
    super(code, options)
    this.code = code
    this.present = options?.present
    this.about = options?.about
  }
}
