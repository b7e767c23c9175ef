/** Stable codes; what a client is told of each stands in plugins/problems.ts. */
export type OrderErrorCode =
  | 'order_not_found'
  | 'bad_cursor' // not one that this service gave out
  | 'forbidden' // for operators only
  | 'order_not_visible_yet' // it may be in the broker's queue, and the view that would show it cannot be read
  | 'not_accepted' // neither the broker nor Postgres took it; nothing was written
  | 'outcome_unknown' // it may have been written; repeating with the same key is safe

export class OrderError extends Error {
  override readonly name = 'OrderError'
  readonly code: OrderErrorCode

  constructor (code: OrderErrorCode, options?: ErrorOptions) {
    super(code, options)
    this.code = code
  }
}
