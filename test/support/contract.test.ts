import t from 'tap'
import { problemBody } from '../../src/http/problems.js'
import { boot } from './apps.js'
import { type Answer, Contract } from './contract.js'

const api = await boot(t, 'api', { DATABASE_URL: 'postgres://127.0.0.1:1/nowhere', LOG_LEVEL: 'silent' })
const contract = Contract.of(api.swagger())

const order = {
  ...{ order_id: '0199b2f4-6c1d-7e3a-9b58-2f6f0c1d4e7a', user_id: 1, item_description: 'Café', item_quantity: 1, item_price: 1, total_value: 1 },
  ...{ status: 'accepted', version: 1, created_at: '2026-11-23T12:00:00.000Z', updated_at: '2026-11-23T12:00:00.000Z', next_statuses: ['cancelled'] }
}
const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': '300', date: 'x', 'x-request-id': 'a' }
const placed: Answer = { method: 'POST', url: '/orders?x=1', status: 202, headers: { ...headers, location: `/orders/${order.order_id}`, etag: '"1a"' }, body: JSON.stringify(order) }
const read: Answer = { method: 'GET', url: `/orders/${order.order_id}`, status: 200, headers: { ...headers, etag: '"1"' }, body: JSON.stringify(order) }

function refused (code: Parameters<typeof problemBody>[0], more: Record<string, string> = {}, given: Partial<Answer> = {}): Answer {
  const body = problemBody(code, { instance: '/orders', request_id: 'a' })
  return { ...placed, status: body.status, headers: { 'content-type': 'application/problem+json', 'x-request-id': 'a', ...more }, body: JSON.stringify(body), ...given }
}

t.test('an answer that keeps the contract has no fault', async (t) => {
  const kept = [
    placed,
    read,
    { ...read, method: 'HEAD', body: '' },
    refused('not_accepted', { 'retry-after': '2' }),
    refused('token_missing', { 'www-authenticate': 'Bearer' }),
    refused('not_found', {}, { url: '/nowhere' }),
    refused('method_not_allowed', { allow: 'GET' }, { method: 'DELETE' }),
    refused('bad_request', {}, { method: 'GET', url: '/orders/%' }),
    refused('not_found', {}, { method: 'HEAD', url: '/nowhere', body: '' })
  ]
  for (const answer of kept) t.strictSame(contract.faults(answer), [], `${answer.method} ${answer.url} ${answer.status}`)
})

t.test('every way to break the contract is told', async (t) => {
  const { order_id: _, ...incomplete } = order
  const { etag: __, ...untagged } = placed.headers
  const table: Array<[fault: RegExp, answer: Answer]> = [
    [/^there is no such operation$/, { ...read, url: '/nowhere' }],
    [/^the status is not documented$/, { ...read, status: 203 }],
    [/^the status is not documented$/, { ...read, method: 'DELETE' }],
    [/^content type text\/html is not documented$/, { ...read, headers: { ...read.headers, 'content-type': 'text/html' } }],
    [/^content type none is not documented$/, { ...read, headers: { 'x-request-id': 'a', etag: '"1"' }, body: '' }],
    [/^body must have required property 'order_id'/, { ...placed, body: JSON.stringify(incomplete) }],
    [/^body\/user_id must be integer/, { ...placed, body: JSON.stringify({ ...order, user_id: '1' }) }],
    [/^body\/order_id must match format "uuid"/, { ...placed, body: JSON.stringify({ ...order, order_id: '1' }) }],
    [/^body must NOT have additional properties .*secret/, { ...placed, body: JSON.stringify({ ...order, secret: 1 }) }],
    [/^body must have required property 'detail'/, { ...refused('bad_cursor'), method: 'GET', body: '{"type":"urn:comanda:problem:bad-cursor","title":"x","status":400,"instance":"/","request_id":"a"}' }],
    [/^header etag is missing$/, { ...placed, headers: untagged }],
    [/^header etag is not as documented: 1a$/, { ...placed, headers: { ...placed.headers, etag: '1a' } }],
    [/^header x-secret is not documented$/, { ...placed, headers: { ...placed.headers, 'x-secret': '1' } }],
    [/^header x-request-id is missing$/, refused('not_found', { 'x-request-id': undefined as unknown as string }, { url: '/nowhere' })],
    [/^header allow is missing$/, refused('method_not_allowed', {}, { method: 'DELETE' })],
    [/^body must NOT have additional properties /, refused('not_found', {}, { body: JSON.stringify({ ...problemBody('not_found', { instance: '/', request_id: 'a' }), stack: 'x' }) })],
    [/^header www-authenticate is missing$/, refused('token_missing')],
    [/^header retry-after is missing$/, refused('not_accepted')],
    [/^header retry-after is not as documented: soon$/, refused('not_accepted', { 'retry-after': 'soon' })],
    [/^problem bad_cursor is not documented: /, refused('bad_cursor')],
    [/^the status is not documented$/, refused('account_taken')]
  ]
  for (const [fault, answer] of table) {
    const faults = contract.faults(answer)
    t.equal(faults.length, 1, `${String(fault)}: ${faults.join('; ')}`)
    t.match(faults[0], fault)
    t.throws(() => contract.check(answer), { message: `the contract is broken by ${answer.method} ${answer.url}, ${answer.status}: ` })
  }
})

t.test('whatever a test asks an api is held against its document', async (t) => {
  t.equal((await api.inject('/readyz')).statusCode, 503)
  const odd = { state: 'odd', since: '2026-11-23T12:00:00.000Z' }
  api.health.report = () => ({ postgres: odd, redis: odd, rabbitmq: odd }) as unknown as ReturnType<typeof api.health.report>
  await t.rejects(api.inject('/readyz'), /GET \/readyz, 503: body\/services\/postgres\/state must be equal to one of the allowed values/)
})
