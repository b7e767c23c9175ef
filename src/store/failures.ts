import { NoWritableServer } from './writable-server.js'

/** What a failed statement means for its caller; decided by SQLSTATE (PostgreSQL manual, appendix A), never by the server's text. */
export type StoreErrorCode =
  | 'unavailable' // the server is away, busy, full, read-only, or not as this build needs it: the same statement may succeed later
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
    super(`${code}: ${code === 'bad_data' ? namesOf(cause) : cause.message}`, code === 'bad_data' ? {} : { cause })
    this.code = code
    this.outcome = outcome
    this.sqlstate = cause.code
    this.constraint = cause.constraint
  }
}

/** The server's own text holds the values that it could not take: they stand in no log. */
function namesOf ({ code, constraint }: PgError): string {
  return `SQLSTATE ${code}` + (constraint === undefined ? '' : `, constraint ${constraint}`)
}

interface PgError extends Error {
  code?: string
  constraint?: string
}

/** Five characters, a digit among them: EPIPE is none. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/
/** Classes that say nothing about the values: connection, privileges, transaction, resources, the server and its tables. */
const NOT_THE_VALUES = /^(08|0A|25|26|28|3D|3F|40|42|53|55|57|58|F0|XX)/
/** The server ended the session, perhaps while a commit was on its way. */
const SESSION_ENDED = /^(08|57P0)/
/** Of a socket, of a name that is looked up, of TLS: ECONNRESET, EAI_AGAIN, CERT_HAS_EXPIRED. Node's own complaints (ERR_...) are none. */
const CONNECTION = /^(E(?!RR_)[A-Z0-9_]+|ERR_(SSL|TLS)_\w+|\w*CERT\w*|UNABLE_TO_\w+|HOSTNAME_MISMATCH)$/
const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])
/** node-postgres tells these by their text alone (8.23); test/store/failures.test.ts has the driver say each that can be provoked. */
const DRIVER = /^(Connection terminated|Query read timeout|timeout e(xpired|xceeded when trying to connect)|Client (has encountered a connection error|was closed) and is not queryable|Cannot use a pool after calling end|Received unexpected \w+ message|The server does not support SSL|There was an error establishing an SSL|SASL)/
const DRIVER_NEVER_CONNECTED = /trying to connect|due to connection timeout|pool after calling end/

/**
 * An error as the callers of the store know it: a StoreError where the server or the connection to it said so. Whatever else was
 * thrown is a defect of ours, and comes back as it is: trying again would never help.
 */
export function storeError (cause: unknown): Error {
  if (cause instanceof StoreError) return cause
  const error: PgError = cause instanceof Error ? cause : new Error(String(cause))
  const code = error.code ?? ''
  if (SQLSTATE.test(code)) return new StoreError(meaningOf(code), SESSION_ENDED.test(code) ? 'unknown' : 'refused', error)
  if (neverConnected(error)) return new StoreError('unavailable', 'refused', error)
  return CONNECTION.test(code) || DRIVER.test(error.message) ? new StoreError('unavailable', 'unknown', error) : error
}

/** Nothing was sent. */
function neverConnected (error: PgError): boolean {
  return error instanceof NoWritableServer || NEVER_CONNECTED.has(error.code ?? '') || (DRIVER.test(error.message) && DRIVER_NEVER_CONNECTED.test(error.message))
}

function meaningOf (sqlstate: string): StoreErrorCode {
  if (sqlstate === '23505') return 'conflict'
  return NOT_THE_VALUES.test(sqlstate) ? 'unavailable' : 'bad_data'
}

/** Whether the same work may succeed later, because the database could not do it now; whatever else fails, fails again. */
export function isTransient (error: unknown): boolean {
  return error instanceof StoreError && error.code === 'unavailable'
}
