import type { Outcome } from '../testkit/clients/answers.js'
import { grouped } from './books.js'
import { describeFault } from './faults.js'
import type { Op } from './history.js'
import type { Applied } from './nemesis-run.js'

/** Answers that a client has to expect: another change came first, the order has moved on, the key is taken. */
const EXPECTED = new Set([409, 412, 422])
/** Of the usual rate of accepted orders; from there on a service counts as back at rate. */
const BACK_AT = 0.8
/** What is over at once is looked at for so long. */
const LEAST_LOOK_MS = 1000
/** Those who use it notice, give up waiting and come back. */
const AFTERMATH_MS = 5000

/** One request; a batch is one, as good as its worst order. */
export interface Request { at: number, ended: number, served: boolean, outcome: Outcome, placed: boolean }

export interface Span { from: number, to: number }

export interface FaultFigures {
  fault: string
  failure: string
  /** Seconds from the start of the load. */
  from: number
  to: number
  /** The longest time without an accepted order, from its begin to five seconds behind its end. */
  gap_s: number
  /** How long the heal itself took, seconds: a server's own start. */
  heal_s: number
  requests: number
  availability: number | null
  /** Seconds from the begin of the heal to the first order accepted of those sent after it. */
  first_order_s: number | null
  /** Seconds from there to the first second with the usual rate again. */
  back_at_rate_s: number | null
}

export interface Figures {
  requests: number
  /** Share of requests answered 2xx, or 409, 412, 422. */
  availability: number
  by_outcome: Record<Outcome, number>
  /** Counted by operation, status and problem. */
  answers: Record<string, number>
  unavailable_503: number
  orders_accepted: number
  /** Placements without a certain answer that turned out to be booked. */
  replayed: number
  longest_gap_s: number
  latency_ms: { p50: number, p99: number, max: number }
  faults: FaultFigures[]
}

const NONE: Record<Outcome, number> = { ok: 0, fail: 0, info: 0 }

export function requestsOf (ops: readonly Op[]): Request[] {
  return [...grouped(ops, ({ request_id }) => request_id).values()].map((group) => {
    const [first] = group
    const worst = (['info', 'fail', 'ok'] as const).find((outcome) => group.some((op) => op.outcome === outcome))!
    const served = group.every(({ status }) => (status >= 200 && status < 300) || EXPECTED.has(status))
    return { at: first!.at, ended: first!.ended, served, outcome: worst, placed: first!.kind === 'place' && group.some(({ outcome }) => outcome === 'ok') }
  }).sort((a, b) => a.at - b.at)
}

/** @param load from the first request to the last */
export function figuresOf (ops: readonly Op[], applied: readonly Applied[], load: Span): Figures {
  const during = ops.filter(({ at }) => at >= load.from && at <= load.to)
  const requests = requestsOf(during)
  const acceptances = requests.filter(({ placed }) => placed).map(({ ended }) => ended).sort((a, b) => a - b)
  const waits = requests.filter(({ outcome }) => outcome === 'ok').map(({ at, ended }) => ended - at).sort((a, b) => a - b)
  return {
    requests: requests.length,
    availability: share(requests) ?? 0,
    by_outcome: { ...NONE, ...counted(requests.map(({ outcome }) => outcome)) },
    answers: counted(during.map(({ kind, status, problem }) => [kind, status === 0 ? 'no answer' : status, problem].join(' ').trim())),
    unavailable_503: during.filter(({ status }) => status === 503).length,
    orders_accepted: during.filter(({ kind, outcome }) => kind === 'place' && outcome === 'ok').length,
    replayed: during.filter(({ replayed }) => replayed === true).length,
    longest_gap_s: seconds(longestGap(acceptances, load)),
    latency_ms: { p50: Math.round(quantile(waits, 0.5)), p99: Math.round(quantile(waits, 0.99)), max: Math.round(waits.at(-1) ?? 0) },
    faults: applied.map((fault) => faultFigures(fault, requests, load))
  }
}

function faultFigures (fault: Applied, requests: readonly Request[], load: Span): FaultFigures {
  const during = requests.filter(({ at }) => at >= fault.began && at <= Math.max(fault.healed, fault.began + LEAST_LOOK_MS))
  const first = Math.min(...requests.filter(({ placed, at }) => placed && at >= fault.healing).map(({ ended }) => ended))
  const look = { from: fault.began, to: Math.min(load.to, fault.healed + AFTERMATH_MS) }
  const accepted = requests.filter(({ placed, ended }) => placed && ended >= look.from && ended <= look.to).map(({ ended }) => ended).sort((a, b) => a - b)
  const back = backAtRate(fault.healing, requests, load)
  return {
    fault: describeFault(fault).trim(),
    failure: fault.failure,
    from: seconds(fault.began - load.from),
    to: seconds(fault.healed - load.from),
    gap_s: seconds(longestGap(accepted, look)),
    heal_s: seconds(fault.healed - fault.healing),
    requests: during.length,
    availability: share(during),
    first_order_s: first === Infinity ? null : seconds(first - fault.healing),
    back_at_rate_s: back === null ? null : seconds(back - fault.healing)
  }
}

/** The begin of the first second behind this moment in which as many orders were accepted as usual; null when there is none. */
function backAtRate (after: number, requests: readonly Request[], load: Span): number | null {
  const ends = requests.filter(({ placed }) => placed).map(({ ended }) => ended)
  const perSecond = Array.from({ length: Math.max(1, Math.floor((load.to - load.from) / 1000)) }, () => 0)
  for (const end of ends) {
    const second = Math.floor((end - load.from) / 1000)
    if (second < perSecond.length) perSecond[second]!++
  }
  const usual = quantile(perSecond.toSorted((a, b) => a - b), 0.5)
  for (let from = after; from + 1000 <= load.to; from += 100) {
    if (ends.filter((end) => end >= from && end < from + 1000).length >= usual * BACK_AT) return from
  }
  return null
}

export function share (requests: readonly Request[]): number | null {
  return requests.length === 0 ? null : Math.round(requests.filter(({ served }) => served).length / requests.length * 1e5) / 1e5
}

function longestGap (moments: readonly number[], load: Span): number {
  return Math.max(...[...moments, load.to].map((at, index) => at - (moments[index - 1] ?? load.from)))
}

function counted<Word extends string> (words: readonly Word[]): Record<Word, number> {
  const counts = {} as Record<Word, number>
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}

export function quantile (sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

const seconds = (ms: number): number => Math.round(ms / 10) / 100
