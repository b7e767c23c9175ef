/** What a failed statement means for its caller; decided by SQLSTATE (PostgreSQL manual, appendix A), never by text. */
export type StoreErrorCode =
  | 'unavailable' // the server is away, busy, full or read-only: the same statement may succeed later
  | 'conflict' // a unique constraint already holds this value
  | 'bad_data' // the values themselves can never be stored

export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  /** `refused`: nothing was written; `unknown`: it may have been, the answer was lost */
  readonly outcome: 'refused' | 'unknown'
  readonly sqlstate: string | undefined
  readonly constraint: string | undefined

  constructor (code: StoreErrorCode, outcome: 'refused' | 'unknown', cause: PgError) {
    super(`${code}: ${cause.message}`, { cause })
    this.code = code
    this.outcome = outcome
    this.sqlstate = cause.code
    this.constraint = cause.constraint
  }
}

interface PgError extends Error {
  code?: string
  constraint?: string
}

const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])
/** Five characters, a digit among them: EPIPE is none. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/
/** The server ended the session, perhaps while a commit was on its way. */
const SESSION_ENDED = /^(08|57P0)/

export function storeError (cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause
  const error: PgError = cause instanceof Error ? cause : new Error(String(cause))
  const sqlstate = error.code ?? ''
  if (sqlstate === '23505') return new StoreError('conflict', 'refused', error)
  if (/^(22|23)/.test(sqlstate)) return new StoreError('bad_data', 'refused', error)
  if (NEVER_CONNECTED.has(sqlstate) || /trying to connect|pool after calling end/.test(error.message)) return new StoreError('unavailable', 'refused', error)
  // All else is treated as passing, unknown codes too: parking a good event is worse than trying a bad one again.
  const answered = SQLSTATE.test(sqlstate) && !SESSION_ENDED.test(sqlstate)
  return new StoreError('unavailable', answered ? 'refused' : 'unknown', error)
}
