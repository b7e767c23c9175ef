import type { Second, Tally } from './tally.js'

/** What a second saw, beside the counts so far, in one line. */
export function liveLine (at: number, second: Second, { begun, dropped, outcomes }: Tally, lagMs: number): string {
  const parts = [
    `${String(at).padStart(5)} s`,
    `${second.due - second.dropped} begun`,
    `${second.ended} ended`,
    `${second.under_way} under way`,
    `p50 ${shown(second.p50_ms)} p99 ${shown(second.p99_ms)} ms`,
    `lag ${shown(lagMs)} ms`,
    `| all: ${begun} begun, ${dropped} dropped, ${outcomes.failed + outcomes.wrong} failed`
  ]
  return parts.join('  ')
}

function shown (ms: number): string {
  return ms < 10 ? ms.toFixed(1) : String(Math.round(ms))
}
