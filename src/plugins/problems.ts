/**
 * Every error a client can meet, by its stable code: RFC 9457 problem details. `detail` is public text without internals;
 * `retry` says whether trying again helps: `no`, `later` (as it is), `same_key` (only safe with the same Idempotency-Key).
 */
export interface Problem {
  status: number
  title: string
  detail: string
  retry: 'no' | 'later' | 'same_key'
  /** seconds */
  retryAfter?: number
}

export const PROBLEM_TYPE = 'urn:comanda:problem:'

const no = (status: number, title: string, detail: string): Problem => ({ status, title, detail, retry: 'no' })
const later = (status: number, title: string, detail: string, retryAfter: number): Problem => ({ status, title, detail, retry: 'later', retryAfter })

export const problems = {
  bad_request: no(400, 'Bad request', 'The request could not be read.'),
  validation_failed: no(400, 'Validation failed', 'The request breaks the rules listed in errors.'),
  bad_cursor: no(400, 'Bad cursor', 'The cursor is not one that this service gave out.'),
  token_missing: no(401, 'Token missing', 'Send a token as `Authorization: Bearer <token>`; POST /auth/token gives one.'),
  token_expired: no(401, 'Token expired', 'Get a fresh token from POST /auth/token.'),
  token_invalid: no(401, 'Token invalid', 'This token was not issued by this service, or was changed since.'),
  wrong_credentials: no(401, 'Wrong credentials', 'The nick_name or the password is wrong.'),
  token_revoked: no(401, 'Token revoked', 'This session was ended by a change of the password or by an erasure; log in again.'),
  session_over: no(401, 'Session over', 'A session lasts 12 hours; log in again.'),
  forbidden: no(403, 'Forbidden', 'This is for operators only.'),
  not_owner: no(403, 'Not the owner', 'Only its owner may amend an order.'),
  self_only: no(403, 'Self only', 'Only the user themself may do this.'),
  wrong_password: no(403, 'Wrong password', 'The present password is another one.'),
  not_found: no(404, 'Not found', 'There is nothing at this address.'),
  order_not_found: no(404, 'Order not found', 'There is no such order, or it is not yours.'),
  user_not_found: no(404, 'User not found', 'There is no such user, or it is not you.'),
  order_not_visible_yet: later(404, 'Order not visible yet', 'If this order was just placed, it will be visible in a moment.', 1),
  method_not_allowed: no(405, 'Method not allowed', 'This address does not know that method; see Allow.'),
  request_timeout: later(408, 'Request timeout', 'The request did not arrive in time.', 1),
  nick_name_taken: no(409, 'Nick name taken', 'Another user has this nick_name.'),
  cpf_taken: no(409, 'CPF taken', 'A user with this cpf is registered already.'),
  illegal_move: no(409, 'Illegal move', 'An order in this status cannot be moved there; see next_statuses.'),
  not_amendable: no(409, 'Not amendable', 'An order can be amended until it is paid.'),
  lost_race: later(409, 'Lost race', 'Another change of this order came first; read it again before repeating yours.', 1),
  stale: no(412, 'Stale', 'The order has another version than If-Match names; ETag tells the present one.'),
  payload_too_large: no(413, 'Payload too large', 'The body is larger than this address takes.'),
  unsupported_media_type: no(415, 'Unsupported media type', 'Send the body as application/json.'),
  key_reused: no(422, 'Key reused', 'This Idempotency-Key was used for another order; take a fresh key for each.'),
  too_many_requests: later(429, 'Too many requests', 'Too many requests from this address or about this user; wait as long as Retry-After says.', 60),
  headers_too_large: no(431, 'Headers too large', 'The header fields are larger than this service takes.'),
  internal: no(500, 'Internal error', 'Something went wrong here; the request_id names it in the logs.'),
  unavailable: later(503, 'Unavailable', 'A service this request needs is away for the moment.', 2),
  busy: later(503, 'Busy', 'Too many requests like this one are under way.', 2),
  version_not_visible_yet: later(503, 'Version not visible yet', 'The version that If-Match names will be visible in a moment, if it was just taken.', 1),
  not_accepted: later(503, 'Not accepted', 'The order was not taken and nothing was written.', 2),
  outcome_unknown: { ...later(503, 'Outcome unknown', 'The order may have been taken; repeat with the same Idempotency-Key to be sure.', 2), retry: 'same_key' }
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
}

export function problemBody (code: ProblemCode, at: { instance: string, request_id: string, detail?: string, errors?: InputFault[] }): ProblemBody {
  const { status, title, detail } = problems[code]
  return {
    type: PROBLEM_TYPE + code.replaceAll('_', '-'),
    title,
    status,
    detail: at.detail ?? detail,
    instance: at.instance,
    request_id: at.request_id,
    ...(at.errors === undefined ? {} : { errors: at.errors })
  }
}
