import t, { type Test } from 'tap'
import { startApi, startWorker } from '../support/apps.js'
import { contractFetch } from '../support/contract.js'
import { eventually } from '../support/eventually.js'
import { line, newcomer, type Person, reads, type Shown } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { portOf, runComanda } from '../support/processes.js'
import { goodClaims, signToken } from '../support/tokens.js'

const place = await openPlace(t)
const HOUR = 3_600_000

type Ask = (method: string, path: string, headers: Record<string, string>, body?: object) => Promise<Response>

/** An api whose clock is wrong by so much: its own `Date`, for the whole process and nobody else. */
async function startWrong (t: Test, byMs: number): Promise<Ask> {
  const script = `const Right = Date
    globalThis.Date = class extends Right {
      constructor (...given) { if (given.length > 0) super(...given); else super(Right.now() + ${byMs}) }
      static now () { return Right.now() + ${byMs} }
    }`
  const own = runComanda(t, ['api'], { ...place.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` })
  const ask = await contractFetch(`http://127.0.0.1:${portOf(await own.said('started'))}`)
  const up = await own.said('postgres_up')
  t.ok(Math.abs(Date.parse(up.time as string) - Date.now() - byMs) < 60_000, 'its clock is wrong')
  if (place.env.AMQP_URL) await own.said('rabbitmq_up')
  return async (method, path, headers, body) => await ask(path, {
    method, headers: { ...headers, ...(body ? { 'content-type': 'application/json' } : {}) }, ...(body ? { body: JSON.stringify(body) } : {})
  })
}

/** As by a login at an api whose clock is wrong by so much. */
function at ({ user_id: id }: Person, byMs: number): Record<string, string> {
  const now = Math.floor((Date.now() + byMs) / 1000)
  return { authorization: `Bearer ${signToken(place.env.JWT_SECRET!, goodClaims(id, { auth_time: now, iat: now, exp: now + 900 }))}` }
}

t.test('clocks an hour apart: a key is one order, changes keep their order, and no token lives longer than the clock of who reads it allows', needs('redis', 'rabbitmq'), async (t) => {
  const [api, ahead, behind] = [await startApi(t, place), await startWrong(t, HOUR), await startWrong(t, -HOUR)]
  await startWorker(t, place)
  const ana = await newcomer(api)
  t.equal((await ahead('GET', '/orders', ana.headers)).status, 401, 'a good token is over by a clock that is ahead')
  const late = await (await behind('POST', '/auth/token', {}, { nick_name: ana.nick_name, password: ana.password })).json() as { access_token: string }
  t.equal((await api.inject({ url: '/orders', headers: { authorization: `Bearer ${late.access_token}` } })).statusCode, 401, 'a token by a clock that is behind is over')

  const early = await (await ahead('POST', '/auth/token', {}, { nick_name: ana.nick_name, password: ana.password })).json() as { access_token: string }
  t.equal((await api.inject({ url: '/orders', headers: { authorization: `Bearer ${early.access_token}` } })).statusCode, 401, 'a token by a clock that is ahead is none: it would live an hour too long')

  const keyed = { 'idempotency-key': 'clocks' }
  const answers = [await ahead('POST', '/orders', { ...at(ana, HOUR), ...keyed }, line), await behind('POST', '/orders', { ...at(ana, -HOUR), ...keyed }, line)]
  const [first, second] = await Promise.all(answers.map(async (answer) => await answer.json() as Shown))
  t.strictSame(second, first)
  const id = first!.order_id
  await reads(api, ana, id, 'confirmed')
  for (const [index, byMs] of [-HOUR, HOUR, -HOUR].entries()) {
    t.equal((await (byMs < 0 ? behind : ahead)('PATCH', `/orders/${id}`, at(ana, byMs), { item_quantity: 10 + index })).status, 202)
  }
  const booked = await reads(api, ana, id, 'confirmed', 4)
  t.equal(booked.item_quantity, 12, 'the last change, not the one of the latest clock')
  t.strictSame(await (await ahead('GET', `/orders/${id}`, at(ana, HOUR))).json(), booked)
  await eventually('each change is applied once', async () => {
    const { rows } = await place.pool.query<{ version: number, outcome: string }>('select version, outcome from order_events where order_id = $1 order by version', [id])
    return rows.length === 4 && rows.every(({ version, outcome }, index) => version === index + 1 && outcome === 'applied')
  })
})
