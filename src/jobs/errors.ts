/** Stable codes; what a client reads of each stands in http/problems.ts. */
export type OperationErrorCode =
  | 'parked_not_found'
  | 'job_not_found'
  | 'bad_cursor'
  | 'forbidden' // for operators only

export class OperationError extends Error {
  override readonly name = 'OperationError'
  readonly code: OperationErrorCode

  constructor (code: OperationErrorCode) {
    super(code)
    this.code = code
  }
}
