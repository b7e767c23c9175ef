import t from 'tap'
import { boot, isUp, startApi } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { limitOf } from '../support/limits.js'
import { newcomer, place as order } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { openProxy } from '../support/proxy.js'

const place = await openPlace(t)
const person = await newcomer(await startApi(t, place))

for (const [service, variable] of [['postgres', 'DATABASE_URL'], ['redis', 'REDIS_URL'], ['rabbitmq', 'AMQP_URL']] as const) {
  t.test(`with ${service} away at start both processes boot, say so once and come up by themselves`, needs('redis', 'rabbitmq'), async (t) => {
    const proxy = await openProxy(t, place.env[variable]!)
    proxy.mode = 'refuse'
    const away = new URL(proxy.url)
    const password = 'the-password-nobody-may-read'
    if (service === 'postgres') away.password ||= password
    const env = { ...place.env, [variable]: away.href }
    const started = Date.now()
    const [api, worker] = [await boot(t, 'api', env), await boot(t, 'worker', env)]
    t.ok(Date.now() - started < limitOf(5000))
    for (const app of [api, worker]) {
      const line = await eventually('it says so', () => app.lines.find((line) => line.service === service && line.state === 'down'))
      t.match(line, { level: 'warn', host: away.host, name: app === api ? 'api' : 'worker' })
      t.notMatch(JSON.stringify(app.lines), password)
      t.match((await app.inject('/readyz')).json(), { services: { [service]: { state: 'down', since: String } } })
    }
    for (const other of ['postgres', 'redis', 'rabbitmq'] as const) if (other !== service) await isUp(api, other)
    t.equal((await order(api, person)).statusCode, 202)
    proxy.mode = 'pass'
    for (const app of [api, worker]) {
      await isUp(app, service)
      t.equal(app.lines.filter((line) => line.service === service && line.state === 'down').length, 1, 'one line a change')
    }
    const { order_id } = (await order(api, person)).json<{ order_id: string }>()
    await eventually('an order is confirmed', async () => (await api.inject({ url: `/orders/${order_id}`, headers: person.headers })).json<{ status: string }>().status === 'confirmed')
  })
}
