import t from 'tap'
import { type Answer, outcomeOf } from '../../src/webhooks/outcome.js'
import { delayAfter, isHopeless, retryAfterMs } from '../../src/webhooks/schedule.js'

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000]
const START = Date.parse('2026-11-23T12:00:00.000Z')
const failed: Answer = { status: 500, failure: null, ms: 7, bytes: 3 }

/** One delivery to an endpoint that gives these answers, the clock moved on by what is asked for. */
function life (answers: (attempt: number) => Answer, chance = 0): { at: number[], state: string, disabled: string | null } {
  const at: number[] = []
  let [now, failingSince] = [START, null as number | null]
  for (let tries = 0; ; tries++) {
    at.push(now - START)
    const outcome = outcomeOf(answers(tries + 1), { ping: false, tries, failingSince }, now, chance)
    failingSince = outcome.health!.failing ? failingSince ?? now : null
    if (outcome.delay_ms === null) return { at, state: outcome.state, disabled: outcome.health!.disabled }
    now += outcome.delay_ms
  }
}

t.test('ten attempts are made, after 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, and then none', async (t) => {
  const { at, state } = life(() => failed)
  const delays = at.map((moment, attempt) => moment - (at[attempt - 1] ?? 0))
  t.strictSame(delays, [0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR])
  t.equal(state, 'given_up')
})

t.test('chance makes a delay longer by a tenth at most, never shorter', async (t) => {
  t.equal(delayAfter(1, null, 1), 5500)
  t.equal(delayAfter(9, null, 0.5), 24 * HOUR * 1.05)
})

t.test('an endpoint that answers in time ends it; the attempt is recorded as what it was', async (t) => {
  t.match(life((attempt) => attempt < 4 ? failed : { status: 204, failure: null, ms: 1, bytes: 0 }), { at: [0, 5 * SECOND, 305 * SECOND, 2105 * SECOND], state: 'delivered', disabled: null })
  t.strictSame(outcomeOf(failed, { ping: false, tries: 0, failingSince: null }, START, 0).attempt, { at: new Date(START - 7).toISOString(), status: 500, failure: 'status', ms: 7, bytes: 3 })
})

t.test('410 disables at once, five days of nothing but failures disable, a second less does not', async (t) => {
  t.equal(life(() => ({ status: 410, failure: null, ms: 1, bytes: 0 })).disabled, 'gone')
  const by = (failingSince: number | null, now: number) => outcomeOf(failed, { ping: false, tries: 3, failingSince }, now, 0).health!.disabled
  t.equal(by(null, START), null)
  t.equal(by(START, START + 5 * DAY - 1), null)
  t.equal(by(START, START + 5 * DAY), 'failing')
  t.equal(isHopeless(START, START + 5 * DAY), true)
})

t.test('Retry-After of 429 and 503 is honoured, as seconds and as a date, up to a day, and never shortens a delay', async (t) => {
  const delay = (status: number, retryAfter: string) => outcomeOf({ ...failed, status, retryAfter }, { ping: false, tries: 0, failingSince: null }, START, 0).delay_ms
  t.equal(delay(429, '120'), 120 * SECOND)
  t.equal(delay(503, 'Mon, 23 Nov 2026 12:10:00 GMT'), 10 * MINUTE)
  t.equal(delay(503, '1'), 5 * SECOND)
  t.equal(delay(429, '999999999'), DAY)
  t.equal(delay(500, '120'), 5 * SECOND, 'of no other status')
  for (const odd of ['', '-1', '1.5', 'soon', '12:00', 'Mon, 23 Nov 1926 12:10:00 GMT']) t.equal(delay(429, odd), 5 * SECOND, odd)
  t.equal(retryAfterMs(undefined, START), null)
})

t.test('a redirect is a failure, whatever its number, and so is a status that says nothing', async (t) => {
  const kind = (status: number) => outcomeOf({ ...failed, status }, { ping: false, tries: 0, failingSince: null }, START, 0).attempt.failure
  for (const [status, failure] of [[200, null], [299, null], [300, 'redirect'], [302, 'redirect'], [308, 'redirect'], [101, 'status'], [400, 'status'], [404, 'status'], [410, 'gone'], [503, 'status']] as const) t.equal(kind(status), failure, String(status))
})

t.test('a test call is made once and says nothing of its endpoint', async (t) => {
  for (const status of [200, 410, 500]) t.match(outcomeOf({ ...failed, status }, { ping: true, tries: 0, failingSince: START - 9 * DAY }, START, 0), { state: status === 200 ? 'delivered' : 'given_up', delay_ms: null, health: null })
})
