/** Stable codes; what a client is told of each stands in plugins/problems.ts. */
export type UserErrorCode = 'nick_name_taken' | 'cpf_taken' | 'wrong_credentials' | 'session_over'

export class UserError extends Error {
  override readonly name = 'UserError'
  readonly code: UserErrorCode

  constructor (code: UserErrorCode, options?: ErrorOptions) {
    super(code, options)
    this.code = code
  }
}
