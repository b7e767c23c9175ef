import type { FeedEvent, Happening } from '../orders/feed-event.js'

/** A ping is a test call: no event of the feed. */
export const PING = 'comanda.ping'

/**
 *   enabled --410, or five days of nothing but failures, or turned off--> disabled --turned on--> enabled
 *
 * Deliveries of a disabled one wait.
 */
export type EndpointState = 'enabled' | 'disabled'
/** `owner`, `operator`: turned off; `gone`: it answered 410; `failing`: five days of nothing but failures. */
export const DISABLED_REASONS = ['owner', 'operator', 'gone', 'failing'] as const
export type DisabledReason = typeof DISABLED_REASONS[number]

/** Where one user wants to be told: of their own orders, an operator of all. */
export interface Endpoint {
  webhook_id: string
  user_id: number
  url: string
  description: string | null
  /** null: of everything */
  types: string[] | null
  state: EndpointState
  disabled_reason: DisabledReason | null
  disabled_at: string | null
  /** The first failure after the last success; null where the last attempt succeeded. */
  failing_since: string | null
  /** A part of the feed that is being told again: behind the first position, up to the second. */
  replaying: { after: number, before: number } | null
  created_at: string
  updated_at: string
}

/** What its owner gives. */
export interface EndpointDraft {
  url: string
  description?: string | null | undefined
  types?: string[] | null | undefined
}

/**
 *   due --2xx--> delivered --replayed--> due
 *    |  \--failed: due again later
 *    \--ten attempts failed, or it cannot be told any more--> given_up --replayed--> due
 */
export const DELIVERY_STATES = ['due', 'delivered', 'given_up'] as const
export type DeliveryState = typeof DELIVERY_STATES[number]

/** What became of an attempt that did not succeed. `superseded`, `not_allowed`, `expired`: none was made, and none will be. */
export const FAILURES = ['status', 'redirect', 'gone', 'timeout', 'name_not_found', 'connection_failed', 'connection_lost', 'tls', 'forbidden_address', 'bad_answer', 'superseded', 'not_allowed', 'expired'] as const
export type Failure = typeof FAILURES[number]

export interface Attempt {
  /** ISO 8601 */
  at: string
  /** of the answer; null: there was none */
  status: number | null
  failure: Failure | null
  ms: number
  /** of the answer's body, as far as it was read */
  bytes: number
}

export interface Delivery {
  delivery_id: number
  webhook_id: string
  /** The `webhook-id` of every attempt: the id of the event. */
  message_id: string
  type: string
  /** null: a ping */
  position: number | null
  state: DeliveryState
  attempts: Attempt[]
  /** null unless it is due */
  next_attempt_at: string | null
  /** The id of the key in DATA_KEYS without which it cannot be signed. */
  missing_key: string | null
  created_at: string
  settled_at: string | null
}

/** Whether the owner of an endpoint may be told, as they are now. */
export function mayBeTold (owner: { user_id: number, role: string }, event: Pick<FeedEvent, 'data'>): boolean {
  return owner.role === 'operator' || event.data.user_id === owner.user_id
}

/** The words of an endpoint's `types` for what can happen. */
export function typeOf (happening: Happening): string {
  return `comanda.order.${happening}`
}
