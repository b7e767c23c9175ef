import t from 'tap'
import { lineForPeople } from '../../local/line-for-people.js'

const time = '2026-11-23T12:00:00.000Z'
const clock = new Date(time).toTimeString().slice(0, 8)
const before = new Date('2026-11-23T11:59:59.999Z')
const shown = (line: object, readyAt: Date | null = before) => lineForPeople('worker', JSON.stringify({ time, level: 'info', name: 'worker', pid: 1, ...line }), { readyAt, colours: false })

t.test('how it comes up is nothing to a person, before it is ready and after', async (t) => {
  for (const event of ['started', 'listening', 'batch_booked', 'closed']) t.strictSame([shown({ event, msg: event }, null), shown({ event, msg: event })], [null, null])
})

t.test('requests and services that change are told once it is ready', async (t) => {
  const request = { event: 'request', msg: 'Request completed', method: 'GET', route: '/orders', status: 401, duration_ms: 1.5, reason: 'token-missing' }
  const up = { event: 'redis_up', msg: 'Redis is up', service: 'redis', state: 'up' }
  t.strictSame([shown(request, null), shown(up, null)], [null, null])
  t.equal(shown(request), `${clock} worker  GET /orders 401 1.5 ms (token-missing)`)
  t.equal(shown(up), `${clock} worker  Redis is up`)
})

t.test('what was written before it was ready is nothing new, however late it is read', async (t) => {
  const up = { event: 'redis_up', msg: 'Redis is up', service: 'redis', state: 'up' }
  t.equal(shown(up, new Date(time)), null)
})

t.test('a warning is told at any time, with its reason; an error with its stack as well', async (t) => {
  t.equal(shown({ level: 'warn', event: 'redis_down', msg: 'Redis is down', service: 'redis', reason: 'refused' }, null), `${clock} worker  Redis is down (refused)`)
  t.equal(shown({ level: 'error', event: 'crashed', msg: 'Crashed', reason: 'why', err: { stack: 'Error: x\n    at y' } }, null), `${clock} worker  Crashed (why)\nError: x\n    at y`)
})

t.test('what is no log line is shown as it is', async (t) => {
  for (const text of ['    at Object.<anonymous>', '17', 'null', '{"msg":1}']) t.equal(lineForPeople('api', text, { readyAt: null, colours: true }), `         api     ${text}`)
})

t.test('nothing in a line can steer the terminal', async (t) => {
  const evil = '\u001b[2J\u009b1m\r\u2028\u202ex'
  const seen = String.raw`\u001b[2J\u009b1m\u000d\u2028\u202ex`
  t.equal(shown({ level: 'warn', event: evil, msg: evil, reason: evil }), `${clock} worker  ${seen} (${seen})`)
  t.equal(lineForPeople('api', evil, { readyAt: before, colours: false }), `         api     ${seen}`)
})
