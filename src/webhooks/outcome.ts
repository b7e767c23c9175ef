import type { Attempt, DeliveryState, DisabledReason, Failure } from './endpoint.js'
import { delayAfter, isHopeless, retryAfterMs } from './schedule.js'

/** What an endpoint answered, or why it did not. */
export interface Answer {
  status: number | null
  /** null: it was an answer, whatever its status */
  failure: Failure | null
  /** The field `Retry-After` as it came. */
  retryAfter?: string | undefined
  ms: number
  bytes: number
}

export interface Outcome {
  state: DeliveryState
  attempt: Attempt
  /** Milliseconds until the next attempt; null: there is none. */
  delay_ms: number | null
  /** What it says of the endpoint; null: nothing, by a test call. */
  health: { failing: boolean, disabled: DisabledReason | null } | null
}

/** @param tries attempts before this one @param failingSince Unix milliseconds; null: its last attempt succeeded */
export interface Tried { ping: boolean, tries: number, failingSince: number | null }

/** What becomes of a delivery and of its endpoint. @param now Unix milliseconds when the attempt ended @param chance from 0 to 1 */
export function outcomeOf (answer: Answer, { ping, tries, failingSince }: Tried, now: number, chance: number): Outcome {
  const { status, ms, bytes } = answer
  const failure = answer.failure ?? failureOf(status!)
  const attempt = { at: new Date(now - ms).toISOString(), status, failure, ms, bytes }
  if (failure === null) return { state: 'delivered', attempt, delay_ms: null, health: ping ? null : { failing: false, disabled: null } }
  if (ping) return { state: 'given_up', attempt, delay_ms: null, health: null }
  const asked = status === 429 || status === 503 ? retryAfterMs(answer.retryAfter, now) : null
  const delay_ms = delayAfter(tries + 1, asked, chance)
  return { state: delay_ms === null ? 'given_up' : 'due', attempt, delay_ms, health: { failing: true, disabled: disabledBy(failure, failingSince, now) } }
}

function failureOf (status: number): Failure | null {
  if (status >= 200 && status < 300) return null
  if (status === 410) return 'gone'
  return status >= 300 && status < 400 ? 'redirect' : 'status'
}

function disabledBy (failure: Failure, failingSince: number | null, now: number): DisabledReason | null {
  if (failure === 'gone') return 'gone'
  return failingSince !== null && isHopeless(failingSince, now) ? 'failing' : null
}
