/** Stable codes; what a client is told of each stands in src/http/problems.ts. */
export type UserErrorCode =
  | 'account_taken' // the nick_name or the CPF; which, is told to nobody
  | 'user_not_found' // also another user's id: who exists is private
  | 'bad_cursor' // not one that this service gave out
  | 'forbidden' // for operators only
  | 'self_only' // not even for operators
  | 'operator_account' // operators act on customers, not on each other
  | 'weak_password' // with what is wrong with it
  | 'wrong_credentials'
  | 'wrong_password' // the current password, given by a user who is logged in
  | 'session_over'
  | 'token_revoked' // its session was ended before its time
  | 'export_running' // one at a time
  | 'too_many_requests' // too many failed before

export class UserError extends Error {
  override readonly name = 'UserError'
  readonly code: UserErrorCode
  /** seconds */
  readonly retryAfter: number | undefined
  /** Public: the member of the body that is refused, and why; never its value. */
  readonly fault: { member: string, detail: string } | undefined

  constructor (code: UserErrorCode, { retryAfter, fault, ...options }: ErrorOptions & { retryAfter?: number, fault?: { member: string, detail: string } } = {}) {
    super(code, options)
    this.code = code
    this.retryAfter = retryAfter
    this.fault = fault
  }
}
