import t from 'tap'
import { startApi, startWorker } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { line, newOperator, place as placeOrder } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { openProxy } from '../support/proxy.js'

const place = await openPlace(t)

interface Look { accepted: number | null, booked: number | null, delay: { p50: number, p99: number } | null, queue: { messages: number, workers: number } | null, fallback: { events: number } | null, services: Record<string, { state: string }>, findings: Array<{ mark: string, subject: string, check: string, found: string, advice: string }> }

t.test('what two apis took is told by either, and what was booked by the feed', needs('redis', 'rabbitmq'), async (t) => {
  const [api, other] = [await startApi(t, place), await startApi(t, place)]
  const operator = await newOperator(api, place)
  const look = async (app = api) => (await app.inject({ url: '/overview', headers: operator.headers })).json<Look>()
  const before = (await look()).accepted!
  for (const app of [api, other, other]) await placeOrder(app, operator, line)
  const seen = await eventually('all are told', async () => {
    const [one, two] = [await look(api), await look(other)]
    return one.accepted === before + 3 && two.accepted === before + 3 && one
  })
  await placeOrder(other, operator, line)
  await eventually('one more, once', async () => (await look()).accepted === before + 4)
  t.match(seen, { booked: 0, queue: { workers: 0 }, fallback: { events: 0 } })
  t.ok(seen.findings.some(({ mark, subject, found, advice }) => mark === 'wrong' && subject === 'rabbitmq' && /no worker takes orders/.test(found) && /start a worker/.test(advice)), 'and what is wrong, with what to do')
  await startWorker(t, place)
  const booked = await eventually('all are booked', async () => {
    const now = await look()
    return now.booked === 4 && now.queue?.workers === 1 && now
  })
  t.ok(booked.delay!.p50 >= 0 && booked.delay!.p99 >= booked.delay!.p50)
  t.notOk(booked.findings.some(({ subject }) => subject === 'rabbitmq'))
})

t.test('what cannot be asked is null, and a finding says why', needs('redis', 'rabbitmq'), async (t) => {
  const proxy = await openProxy(t, place.env.REDIS_URL!)
  const api = await startApi(t, place, { REDIS_URL: proxy.url })
  const operator = await newOperator(api, place)
  proxy.mode = 'refuse'
  proxy.cut()
  await eventually('it is known', () => api.health.state('redis') === 'down')
  const { accepted, services, findings } = (await api.inject({ url: '/overview', headers: operator.headers })).json<Look>()
  t.equal(accepted, null)
  t.equal(services.redis!.state, 'down')
  t.match(findings.find(({ subject }) => subject === 'redis'), { mark: 'wrong', check: 'connection', advice: /redis_down/ })
})

t.test('a broker that falls silent keeps no overview waiting, though it still looks well', needs('redis', 'rabbitmq'), async (t) => {
  const proxy = await openProxy(t, place.env.AMQP_URL!)
  const api = await startApi(t, place, { AMQP_URL: proxy.url })
  const operator = await newOperator(api, place)
  const look = async () => (await api.inject({ url: '/overview', headers: operator.headers })).json<Look>()
  t.match(await look(), { queue: { messages: Number } })
  proxy.mode = 'silent'
  const silent = await eventually('it is not known any more', async () => {
    const now = await look()
    return now.queue === null && now
  })
  t.equal(silent.services.rabbitmq!.state, 'up')
})

t.test('without Redis and without the broker it tells what it knows', async (t) => {
  const api = await startApi(t, place, { REDIS_URL: '', AMQP_URL: '' })
  const operator = await newOperator(api, place)
  const answer = await api.inject({ url: '/overview', headers: operator.headers })
  t.equal(answer.statusCode, 200)
  t.match(answer.json(), { accepted: null, queue: null, booked: Number, told: [{ name: 'webhooks' }], services: { redis: { state: 'off' } } })
})
