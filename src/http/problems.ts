import { SESSION_HOURS } from '../users/session.js'

/**
 * Every error a client can meet, by its stable code: RFC 9457 problem details. `detail` is public text without internals;
 * `retry` says whether trying again helps: `no`, `later` (as it is), `same_key` (only safe with the same Idempotency-Key).
 */
export interface Problem {
  status: number
  title: string
  detail: string
  /** What the client can do, in a sentence: for docs/errors.md and the OpenAPI document. */
  remedy: string
  retry: 'no' | 'later' | 'same_key'
  /** seconds */
  retryAfter?: number
}

export const PROBLEM_TYPE = 'urn:comanda:problem:'

const no = (status: number, title: string, detail: string, remedy: string): Problem => ({ status, title, detail, remedy, retry: 'no' })
const later = (status: number, title: string, detail: string, remedy: string, retryAfter: number): Problem => ({ status, title, detail, remedy, retry: 'later', retryAfter })

/** A new error is one entry here. */
export const problems = {
  bad_request: no(400, 'Bad request', 'The request could not be parsed.', 'Send well-formed HTTP, percent-encoding and JSON.'),
  validation_failed: no(400, 'Validation failed', 'The request breaks the rules listed in errors.', 'Correct every place that `errors` points to; `errors_omitted`, if there, is how many more there are.'),
  weak_password: no(400, 'Weak password', 'This password is too easily guessed; errors says why.', 'Choose a password that is long, not a common one and not made of your own data.'),
  not_storable: no(400, 'Not storable', 'A value of this request is not one that can be stored; nothing was changed.', 'Send dates, numbers and texts within the bounds of the OpenAPI document; if they are, report the request_id.'),
  bad_endpoint: no(400, 'Bad endpoint', 'Nothing can be delivered to this URL; errors says why.', 'Give an https URL that leads to a public address.'),
  bad_cursor: no(400, 'Invalid cursor', 'This cursor was not issued by this service.', 'Start again from the first page.'),
  token_missing: no(401, 'Token missing', 'Send a token as `Authorization: Bearer <token>`; POST /auth/token issues one.', 'Log in and send the token.'),
  token_expired: no(401, 'Token expired', 'Get a new token from POST /auth/token.', 'Log in again; next time, renew the token before it expires.'),
  token_invalid: no(401, 'Invalid token', 'This token was not issued by this service, or it has been altered.', 'Log in again.'),
  wrong_credentials: no(401, 'Wrong credentials', 'The nick_name or the password is incorrect.', 'Check the name and the password.'),
  token_revoked: no(401, 'Token revoked', 'This session was ended: by a log-out, a new password, a change of role, an erasure or an administrator; log in again.', 'Log in again.'),
  session_over: no(401, 'Session expired', `A session lasts ${SESSION_HOURS} hours; log in again.`, 'Log in again.'),
  forbidden: no(403, 'Forbidden', 'Only operators may do this.', 'Ask an operator.'),
  cross_origin: no(403, 'Not from a page of ours', 'A request that acts by the cookie of the console must come from the console itself.', 'Send a token in `Authorization`, or use the console.'),
  not_owner: no(403, 'Not the owner', 'Only the owner of an order may amend it.', 'Ask the owner, or cancel the order and place another.'),
  self_only: no(403, 'Own account only', 'Users may do this only for their own account; operators may not do it for them.', 'Ask the user to do it.'),
  operator_account: no(403, 'Account of an operator', 'Operators may not change or erase each other.', 'Have it done on the command line: `comanda users demote` makes a customer of an operator.'),
  endpoint_owner_only: no(403, 'Not the owner', 'Only the owner of a webhook may change where it leads, test it or be given its secret.', 'Ask its owner; operators may disable, replay and remove it.'),
  wrong_password: no(403, 'Wrong password', 'The current password is incorrect.', 'Send the current password; a forgotten one cannot be recovered or reset.'),
  not_found: no(404, 'Not found', 'There is no resource at this address.', 'Check the address against the OpenAPI document.'),
  order_not_found: no(404, 'Order not found', 'There is no such order, or it is not yours.', 'Check the order_id and whose token you sent.'),
  user_not_found: no(404, 'User not found', 'There is no such user, or you may not see that user.', 'Check the user_id and whose token you sent; `me` is the caller.'),
  webhook_not_found: no(404, 'Webhook not found', 'There is no such webhook, or it is not yours.', 'Check the webhook_id and whose token you sent.'),
  delivery_not_found: no(404, 'Delivery not found', 'This webhook has no such delivery; delivered ones are kept for 30 days.', 'Check the delivery_id, or replay the events by their positions.'),
  parked_not_found: no(404, 'Parked event not found', 'There is no such parked event.', 'Check the parked_id; GET /parked lists them.'),
  job_not_found: no(404, 'Job not found', 'There is no such job.', 'Check the job_id; GET /jobs lists them.'),
  order_not_visible_yet: later(404, 'Order not visible yet', 'If this order was just placed, it will be visible in a moment.', 'Read it again after `Retry-After`.', 1),
  method_not_allowed: no(405, 'Method not allowed', 'This address does not support that method; see Allow.', 'Use a method listed in `Allow`.'),
  request_timeout: later(408, 'Request timeout', 'The request did not arrive in time.', 'Send the whole request without pausing.', 1),
  account_taken: no(409, 'Not available', 'This nick_name or this CPF is not available; which of them is not told.', 'If you have registered before, log in; otherwise choose another nick_name.'),
  too_many_webhooks: no(409, 'Too many webhooks', 'This user has as many webhooks as one user may.', 'Remove one, or have one receive more types.'),
  replay_running: later(409, 'Replay running', 'A part of the feed is being told to this webhook again already.', 'Wait until `replaying` is null, then ask again.', 10),
  parked_settled: no(409, 'Settled otherwise', 'This parked event was replayed or discarded before: what is done is not undone.', 'Read it again to see what was done with it.'),
  parked_unreadable: no(409, 'Not an order event', 'What was parked is no order event that this release can read, so it cannot be replayed.', 'Discard it, or replay it by a release that can read it.'),
  parked_forged: no(409, 'Not signed', 'What was parked carries no signature of this service, so it is not replayed here.', 'Find out who wrote it; `comanda parked replay --unsigned` replays it all the same.'),
  illegal_move: no(409, 'Illegal status change', 'An order in this status cannot move to the requested one; see next_statuses.', 'Read the order again and choose one of its `next_statuses`.'),
  not_amendable: no(409, 'Not amendable', 'An order can be amended only while it is accepted or confirmed.', 'Place another order; cancel this one if its `next_statuses` allow it.'),
  lost_race: later(409, 'Conflicting update', 'Another change to this order came first; read it again before repeating yours.', 'Read the order again, then repeat the change if you still want it.', 1),
  stale: no(412, 'Stale version', 'The order is not at a version that If-Match names; ETag gives the current one.', 'Read the order again and decide on the basis of its current version.'),
  payload_too_large: no(413, 'Payload too large', "The body exceeds this endpoint's limit.", 'Send a smaller body.'),
  unsupported_media_type: no(415, 'Unsupported media type', 'Send the body as application/json, in UTF-8 and not compressed.', 'Send JSON in UTF-8 with its Content-Type and no Content-Encoding.'),
  key_reused: no(422, 'Key reused', 'This Idempotency-Key was used for another order; use a new key for each order.', 'Use a new Idempotency-Key for each order.'),
  too_many_requests: later(429, 'Too many requests', 'Too many requests from this address or for this user; wait as long as Retry-After says.', 'Wait as long as `Retry-After` says.', 60),
  too_many_streams: later(429, 'Too many streams', 'This user listens by as many streams and waiting requests as one user may.', 'Close those that are not needed, or read one stream for all.', 30),
  export_running: later(429, 'Export running', 'An export of this user is being read; there is one at a time.', 'Read the one that is running to its end, or close its connection.', 10),
  too_many_orders: later(429, 'Too many orders', 'This user has placed as many orders as one user may a minute; nothing of this request was placed.', 'Wait as long as `Retry-After` says; `RateLimit-Policy` tells the bound, `RateLimit` what is left of it.', 60),
  headers_too_large: no(431, 'Headers too large', 'The header fields exceed the size limit.', 'Send fewer or shorter header fields.'),
  internal: no(500, 'Internal error', 'An unexpected error occurred; the request_id identifies it in the logs.', 'Report the request_id; the request may or may not have been carried out.'),
  unavailable: later(503, 'Unavailable', 'A service that this request needs is temporarily unavailable.', 'Repeat the request after `Retry-After`.', 2),
  busy: later(503, 'Busy', 'Too many requests of this kind are in progress.', 'Repeat the request after `Retry-After`.', 2),
  version_not_visible_yet: later(503, 'Version not visible yet', 'If the version that If-Match names was just accepted, it will be visible in a moment.', 'Repeat the change after `Retry-After`.', 1),
  not_accepted: later(503, 'Not accepted', 'The order or change was not accepted, and nothing was written.', 'Repeat the request after `Retry-After`.', 2),
  outcome_unknown: { ...later(503, 'Outcome unknown', 'The order or change may have been accepted; an order is safe to repeat with the same Idempotency-Key.', 'Repeat the order with the same Idempotency-Key; without one, look for it in the list first. A change is safe to repeat.', 2), retry: 'same_key' }
} as const satisfies Record<string, Problem>

export type ProblemCode = keyof typeof problems

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The problems of this route's own, for the OpenAPI document. What follows from the route's shape is not listed: a body,
     * parameters, a token, a rate limit, a service away.
     */
    problems?: readonly ProblemCode[]
  }
}

/** One fault of the input: where it is (RFC 6901 pointer behind `#`, with the part of the request before it unless the body), and what is wrong. */
export interface InputFault {
  pointer: string
  detail: string
}

export interface ProblemBody {
  type: string
  title: string
  status: number
  detail: string
  instance: string
  request_id: string
  errors?: InputFault[]
  /** How many more errors there are than `errors` tells. */
  errors_omitted?: number
}

/** What is wrong with the input, as far as it is told. */
export interface Faults { faults: readonly InputFault[], omitted: number }

export function problemBody (code: ProblemCode, at: { instance: string, request_id: string, detail?: string, input?: Faults | undefined }): ProblemBody {
  const { status, title, detail } = problems[code]
  return {
    type: PROBLEM_TYPE + code.replaceAll('_', '-'),
    title,
    status,
    detail: at.detail ?? detail,
    instance: at.instance,
    request_id: at.request_id,
    ...(at.input === undefined ? {} : { errors: [...at.input.faults] }),
    ...(at.input === undefined || at.input.omitted === 0 ? {} : { errors_omitted: at.input.omitted })
  }
}

/** An error that a plugin or route answers a request with. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly code: ProblemCode

  constructor (code: ProblemCode, options?: ErrorOptions) {
    super(code, options)
    this.code = code
  }
}
