import t from 'tap'
import type { Answered } from '../../testkit/clients/asking.js'
import { judge, judgeChange, judgeRepeated, judgeStale } from '../../traffic/outcome.js'

const answer = (status: number, more: Partial<Answered> = {}): Answered => ({ status, headers: {}, body: null, fault: '', ...more })
const problem = (code: string) => ({ body: { type: `urn:comanda:problem:${code}` } })

t.test('the status that had to come is ok', async (t) => {
  t.strictSame(judge(answer(202), 202), { outcome: 'ok', why: '' })
})

t.test('a bound of the service is no failure, anything else is, and says why', async (t) => {
  t.strictSame(judge(answer(429, problem('too-many-requests')), 202), { outcome: 'limited', why: 'too-many-requests' })
  t.strictSame(judge(answer(503, problem('not-accepted')), 202), { outcome: 'failed', why: 'not-accepted' })
  t.strictSame(judge(answer(404), 200), { outcome: 'failed', why: '404' })
  t.strictSame(judge(answer(0, { fault: 'ECONNRESET' }), 200), { outcome: 'failed', why: 'ECONNRESET' })
})

t.test('a change that came second is a conflict', async (t) => {
  t.equal(judgeChange(answer(200)).outcome, 'ok')
  t.strictSame(judgeChange(answer(409, problem('lost-race'))), { outcome: 'conflict', why: 'lost-race' })
  t.equal(judgeChange(answer(500)).outcome, 'failed')
})

t.test('a stale change has to be refused: one that is accepted is wrong', async (t) => {
  t.equal(judgeStale(answer(412)).outcome, 'ok')
  t.equal(judgeStale(answer(202)).outcome, 'wrong')
  t.equal(judgeStale(answer(409)).outcome, 'conflict')
  t.equal(judgeStale(answer(503)).outcome, 'failed')
})

t.test('a repeated key has to name the same order, and to say so', async (t) => {
  const replayed = { headers: { 'idempotency-replayed': 'true' } }
  t.equal(judgeRepeated(answer(202, { ...replayed, body: { order_id: 'a' } }), 'a').outcome, 'ok')
  t.equal(judgeRepeated(answer(202, { ...replayed, body: { order_id: 'b' } }), 'a').outcome, 'wrong')
  t.equal(judgeRepeated(answer(202, { body: { order_id: 'a' } }), 'a').outcome, 'wrong')
  t.equal(judgeRepeated(answer(503), 'a').outcome, 'failed')
})
