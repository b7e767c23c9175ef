import t from 'tap'
import { postgresAnswers, rabbitAnswers, redisAnswers } from '../../local/answers.js'
import { faultsIn, lookAt } from '../support/findings.js'
import { needsIpv6 } from '../support/ipv6.js'
import { isServed } from '../support/own-database.js'
import { needs, openPlace } from '../support/place.js'
import { openProxy } from '../support/proxy.js'

const place = await openPlace(t)
const { DATABASE_URL, REDIS_URL, AMQP_URL } = place.env

t.test('services at addresses of IPv6 are reached by api, worker, doctor and npm start', { ...needsIpv6, ...needs('redis', 'rabbitmq') }, async (t) => {
  const [database, redis, rabbit] = await Promise.all([DATABASE_URL!, REDIS_URL!, AMQP_URL!].map(async (url) => (await openProxy(t, url, '::1')).url)) as [string, string, string]
  for (const url of [database, redis, rabbit]) t.match(url, '[::1]')
  const env = { DATABASE_URL: database, REDIS_URL: redis, AMQP_URL: rabbit }
  const { api, worker } = await isServed(t, place, env)
  for (const app of [api, worker]) t.strictSame(app.lines.filter(({ event }) => /_(down|missed)$/.test(event)), [])
  t.strictSame(faultsIn(await lookAt(t, { ...place.env, ...env })).filter((fault) => !fault.startsWith('warn')), [])
  t.strictSame(await Promise.all([postgresAnswers(database, 5000), redisAnswers(redis, 5000), rabbitAnswers(rabbit, 5000)]), [true, true, true])
})
