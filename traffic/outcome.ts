import { problemIn } from '../testkit/clients/answers.js'
import type { Answered } from '../testkit/clients/asking.js'

/** How a visit ended, and what that says of the service. */
export const OUTCOMES = {
  ok: 'answered as it had to be',
  conflict: '409 to a change: another one came first, or the order was not booked yet',
  limited: '429: the service bounds how much one client may ask',
  failed: 'no answer, a 5xx, or a refusal that nothing explains',
  wrong: 'an answer that must not be: a stale change accepted, a repeated key that names another order'
} as const
export type Outcome = keyof typeof OUTCOMES

export interface Judged {
  outcome: Outcome
  /** Of what was not `ok`: the problem's code, the status, or what became of the connection. */
  why: string
}

export const OK: Judged = { outcome: 'ok', why: '' }

/** What an answer is where one of these statuses was to come. */
export function judge (answer: Answered, ...right: number[]): Judged {
  if (right.includes(answer.status)) return OK
  return { outcome: outcomeOf(answer), why: whyNot(answer) }
}

/** Of a change: another may have come first. */
export function judgeChange (answer: Answered): Judged {
  const judged = judge(answer, 200, 202)
  return answer.status === 409 ? { ...judged, outcome: 'conflict' } : judged
}

/** Of a change that names a version which is no longer the order's. */
export function judgeStale (answer: Answered): Judged {
  if (answer.status >= 200 && answer.status < 300) return { outcome: 'wrong', why: `${answer.status}` }
  return answer.status === 412 ? OK : judgeChange(answer)
}

/** Of a placement whose key named this order before. */
export function judgeRepeated (answer: Answered, orderId: string): Judged {
  const judged = judge(answer, 202)
  if (judged.outcome !== 'ok') return judged
  const { order_id } = (answer.body ?? {}) as { order_id?: string }
  if (order_id !== orderId) return { outcome: 'wrong', why: `the key of ${orderId} named ${order_id}` }
  return answer.headers['idempotency-replayed'] === 'true' ? OK : { outcome: 'wrong', why: 'not said to be replayed' }
}

function outcomeOf ({ status }: Answered): Outcome {
  return status === 429 ? 'limited' : 'failed'
}

function whyNot ({ status, body, fault }: Answered): string {
  return fault || problemIn(body) || String(status)
}
