/** Stable codes; what a client reads of each stands in http/problems.ts. */
export type WebhookErrorCode =
  | 'webhook_not_found' // also another user's: which there are is private
  | 'delivery_not_found'
  | 'endpoint_owner_only' // not even for operators
  | 'too_many_webhooks'
  | 'bad_endpoint' // nothing is ever delivered to this URL, with why
  | 'replay_running'
  | 'bad_cursor'

export class WebhookError extends Error {
  override readonly name = 'WebhookError'
  readonly code: WebhookErrorCode
  /** Public: the member of the body that is refused, and why. */
  readonly fault: { member: string, detail: string } | undefined

  constructor (code: WebhookErrorCode, { fault, ...options }: ErrorOptions & { fault?: { member: string, detail: string } } = {}) {
    super(code, options)
    this.code = code
    this.fault = fault
  }
}
