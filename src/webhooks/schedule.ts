/** When a delivery is tried, and when it, or its endpoint, is given up. The clock and chance are arguments. */

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Before each attempt, from the one before on; the first is made at once. (Standard Webhooks, "Deliverability and reliability".) */
export const DELAYS_MS: readonly number[] = [0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]
/** Up to so much longer, by chance: what failed together is not tried again together. */
const JITTER = 0.1
/** An endpoint may ask for no longer wait than this. */
const LONGEST_WAIT_MS = DAY
/** Nothing but failures for so long disables an endpoint. */
export const FAILING_MS = 5 * DAY
/** How long a delivery waits for its endpoint to be enabled again; a disabled one gets no further ones after so long. */
export const WAITING_MS = 30 * DAY
/** How long delivered ones are kept. */
export const KEPT_MS = 30 * DAY

/**
 * @param tries attempts made since it became due, the failed one included
 * @param asked milliseconds that the endpoint asked to wait (Retry-After); null: it did not
 * @param chance from 0 to 1
 * @returns milliseconds until the next attempt; null: it is given up
 */
export function delayAfter (tries: number, asked: number | null, chance: number): number | null {
  const delay = DELAYS_MS[tries]
  if (delay === undefined) return null
  return Math.round(Math.max(delay * (1 + JITTER * chance), Math.min(asked ?? 0, LONGEST_WAIT_MS)))
}

/** @param failingSince Unix milliseconds of the first failure after the last success @param now of the failure just seen */
export function isHopeless (failingSince: number, now: number): boolean {
  return now - failingSince >= FAILING_MS
}

/** RFC 9110, section 10.2.3: seconds or an HTTP date. @returns milliseconds; null for anything else */
export function retryAfterMs (field: string | undefined, now: number): number | null {
  if (field === undefined) return null
  if (/^\d{1,9}$/.test(field)) return Number(field) * SECOND
  const moment = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(field) ? Date.parse(field) : NaN
  return Number.isNaN(moment) ? null : Math.max(0, moment - now)
}
