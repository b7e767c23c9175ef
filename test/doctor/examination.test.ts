import t from 'tap'
import { DEAD_QUEUE, declareTopology, ORDERS_QUEUE } from '../../src/broker/topology.js'
import { park } from '../../src/store/parked-events.js'
import { startApi, startWorker } from '../support/apps.js'
import { openChannel, publishRaw } from '../support/broker.js'
import { enqueueFallback, insertPerson, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { faultsIn, isFound, lookAt } from '../support/findings.js'
import { limitOf } from '../support/limits.js'
import { booked, newcomer } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { openProxy } from '../support/proxy.js'

const place = await openPlace(t)
const { env, pool } = place
const all = needs('redis', 'rabbitmq')
const without = { ...env, REDIS_URL: '', AMQP_URL: '' }
const alone = { ...env, DATABASE_URL: 'postgres://127.0.0.1:1/x', REDIS_URL: '' }

function at (url: string, change: Partial<Pick<URL, 'protocol' | 'hostname' | 'port' | 'username' | 'password' | 'pathname' | 'search'>>): string {
  return Object.assign(new URL(url), change).href
}

t.test('with an api and a worker at work all is well', all, async (t) => {
  const [api, worker] = [await startApi(t, place), await startWorker(t, place)]
  await booked(api, await newcomer(api))
  await eventually('all is drained', async () => await worker.drained())
  const found = await lookAt(t, env)
  t.strictSame(faultsIn(found), [])
  isFound(t, found, 'rabbitmq alarm', 'ok', /^none/)
  isFound(t, found, `rabbitmq messages in ${ORDERS_QUEUE}`, 'ok', /^0 ready, 1 consumers$/)
  isFound(t, found, 'postgres newest order', 'ok', /placed at 20/)
  isFound(t, found, 'redis clock', 'ok', /of this machine|behind this machine/)
})

t.test('each way in which a service cannot be reached has words of its own, and the others are looked at all the same', all, async (t) => {
  const { DATABASE_URL = '', REDIS_URL = '', AMQP_URL = '' } = env
  const table: Array<[name: string, text: RegExp, env: Record<string, string>]> = [
    ['postgres', /^refused: nothing listens/, { DATABASE_URL: at(DATABASE_URL, { port: '1', password: 'hunter2' }) }],
    ['redis', /^refused: nothing listens/, { REDIS_URL: at(REDIS_URL, { port: '1', password: 'hunter2' }) }],
    ['rabbitmq', /^refused: nothing listens/, { AMQP_URL: at(AMQP_URL, { port: '1', password: 'hunter2' }) }],
    ['postgres', /^no host is called|^the name .* cannot be looked up/, { DATABASE_URL: at(DATABASE_URL, { hostname: 'nowhere.invalid' }) }],
    ['redis', /^no host is called|^the name .* cannot be looked up/, { REDIS_URL: at(REDIS_URL, { hostname: 'nowhere.invalid' }) }],
    ['rabbitmq', /^no host is called|^the name .* cannot be looked up/, { AMQP_URL: at(AMQP_URL, { hostname: 'nowhere.invalid' }) }],
    ['postgres', /has no database nowhere$/, { DATABASE_URL: at(DATABASE_URL, { pathname: '/nowhere' }) }],
    ['redis', /has no database 9999$/, { REDIS_URL: at(REDIS_URL, { pathname: '/9999' }) }],
    ['rabbitmq', /does not open virtual host nowhere/, { AMQP_URL: at(AMQP_URL, { pathname: '/nowhere' }) }],
    ['redis', /refuses user ana with this password$/, { REDIS_URL: at(REDIS_URL, { username: 'ana', password: 'hunter2' }) }],
    ['rabbitmq', /refuses user \w+ with this password$/, { AMQP_URL: at(AMQP_URL, { password: 'hunter%232' }) }],
    ['postgres', /speaks no TLS/, { DATABASE_URL: at(DATABASE_URL, { search: '?sslmode=verify-full' }) }],
    ['redis', /it speaks no TLS/, { REDIS_URL: REDIS_URL.replace('redis:', 'rediss:') }],
    ['rabbitmq', /speaks no TLS/, { AMQP_URL: AMQP_URL.replace('amqp:', 'amqps:') }],
    ['postgres', /closed the connection without a word/, { DATABASE_URL: at(DATABASE_URL, { port: new URL(AMQP_URL).port }) }],
    ['rabbitmq', /closed the connection without a word/, { AMQP_URL: at(AMQP_URL, { port: new URL(DATABASE_URL).port }) }],
    ['redis', /closed the connection without a word/, { REDIS_URL: at(REDIS_URL, { port: new URL(AMQP_URL).port }) }]
  ]
  await Promise.all(table.map(async ([name, text, given]) => {
    const found = await lookAt(t, { ...env, ...given })
    isFound(t, found, `${name} connection`, 'wrong', text)
    for (const other of ['postgres', 'redis', 'rabbitmq'].filter((other) => other !== name)) t.equal(found.get(`${other} connection`)?.mark, 'ok', `${name}: ${other} is reached`)
  }))
})

t.test('a service that takes connections and says nothing holds nobody up', all, async (t) => {
  const proxies = await Promise.all([env.DATABASE_URL!, env.REDIS_URL!, env.AMQP_URL!].map(async (url) => await openProxy(t, url)))
  for (const proxy of proxies) proxy.mode = 'mute'
  const [postgres, redis, rabbitmq] = proxies
  const started = performance.now()
  const found = await lookAt(t, { ...env, DATABASE_URL: postgres!.url, REDIS_URL: redis!.url, AMQP_URL: rabbitmq!.url })
  const took = performance.now() - started
  t.ok(took < limitOf(12_000), `${Math.round(took)} ms`)
  for (const name of ['postgres', 'redis', 'rabbitmq']) isFound(t, found, `${name} connection`, 'wrong', /^no answer from .* in time/)
})

t.test('a connection that is cut in the middle is told, and what was found before is kept', async (t) => {
  const proxy = await openProxy(t, env.DATABASE_URL!)
  proxy.cutAfter = Buffer.from('server_clock')
  const found = await lookAt(t, { ...without, DATABASE_URL: proxy.url })
  isFound(t, found, 'postgres durability', found.get('postgres durability')!.mark, /on disk|off/)
  isFound(t, found, 'postgres answers', 'wrong', /closed the connection without a word/)
})

t.test('a table that is locked holds nobody up', async (t) => {
  const blocker = await pool.connect()
  await blocker.query('begin; lock table fallback_queue, order_events, parked_events, orders in access exclusive mode')
  const started = performance.now()
  const found = await lookAt(t, without)
  const took = performance.now() - started
  await blocker.query('rollback')
  blocker.release()
  t.ok(took < limitOf(12_000), `${Math.round(took)} ms`)
  isFound(t, found, 'postgres tables', 'ok', /^as this build needs them$/)
  isFound(t, found, 'postgres fallback queue', 'warn', /^not read in time: the table is locked/)
})

t.test('migrations that are missing, newer or out of order are told apart', async (t) => {
  const client = await pool.connect()
  const applied = async (change: string, mark: 'ok' | 'warn' | 'wrong', text: RegExp) => {
    await client.query('create table kept as select * from comanda_migrations')
    await client.query(change)
    isFound(t, await lookAt(t, without), 'postgres tables', mark, text)
    await client.query('truncate comanda_migrations; insert into comanda_migrations select * from kept; drop table kept')
  }
  await applied('delete from comanda_migrations where name = (select max(name) from comanda_migrations)', 'warn', /^not applied yet: \d{4}_\w+$/)
  await applied("insert into comanda_migrations (name, run_on) values ('9999_later', now())", 'warn', /^newer than this build: 9999_later$/)
  await applied("delete from comanda_migrations where name like '0002%'", 'wrong', /another order than this build's: 0002_\w+ is missing/)
  await applied('select 1', 'ok', /^as this build needs them$/)
  client.release()
})

t.test('a database without tables is not looked into any further', async (t) => {
  const found = await lookAt(t, { ...without, DATABASE_URL: at(env.DATABASE_URL!, { search: '?options=-c%20search_path%3Dpg_temp' }) })
  isFound(t, found, 'postgres tables', 'warn', /^not applied yet: 0001_\w+, 0002/)
  t.notOk(found.has('postgres fallback queue'))
})

t.test('the oldest row of the fallback queue is told with its age and attempts', async (t) => {
  await enqueueFallback(pool, [placement(1), placement(1)])
  const fallback = async (change: string, mark: 'ok' | 'warn' | 'wrong', text: RegExp) => {
    await pool.query(`update fallback_queue set ${change}`)
    isFound(t, await lookAt(t, without), 'postgres fallback queue', mark, text)
  }
  await fallback("taken_at = now() - interval '3 s'", 'ok', /^2 events, the oldest for 3 s, tried up to 0 times$/)
  await fallback("taken_at = now() - interval '30 s', attempts = 2", 'warn', /the oldest for 30 s, tried up to 2 times$/)
  await fallback("taken_at = now() - interval '1 h'", 'wrong', /the oldest for 60 min/)
  await fallback("attempts = 0, due_at = now() + interval '10 s'", 'warn', /2 wait for a newer worker$/)
  await pool.query('delete from fallback_queue')
  isFound(t, await lookAt(t, without), 'postgres fallback queue', 'ok', /^empty$/)
})

t.test('a server that writes the values of statements to its log is told', async (t) => {
  const set = (...settings: string[]) => at(env.DATABASE_URL!, { search: `?options=${encodeURIComponent(settings.map((setting) => `-c ${setting}`).join(' '))}` })
  const told = async (mark: 'ok' | 'warn', text: RegExp, ...settings: string[]) => isFound(t, await lookAt(t, { ...without, DATABASE_URL: set(...settings) }), 'postgres server log', mark, text)
  await told('ok', /^holds no values/)
  await told('warn', /^log_statement and log_min_duration_statement: /, 'log_statement=mod', 'log_min_duration_statement=100', 'log_parameter_max_length=-1')
  await told('warn', /^log_parameter_max_length_on_error: /, 'log_parameter_max_length_on_error=64')
  await told('ok', /^holds no values/, 'log_statement=all', 'log_parameter_max_length=0')
})

t.test('open parked events, and changes whose base does not come, are told', async (t) => {
  const { event_id, order } = placement(await insertPerson(pool))
  await pool.query(`insert into order_events (event_id, order_id, version, base, type, data, request_id, outcome, occurred_at, recorded_at)
    values ($1, $2, 2, $1, 'order.amended', '{}', 'test', 'waiting', now(), now() - interval '1 day')`, [event_id, order.order_id])
  await park(pool, [{ source: 'queue', reason: 'malformed', attempts: 1, headers: {}, raw: Buffer.from('{') }])
  const found = await lookAt(t, without)
  isFound(t, found, 'postgres parked events', 'warn', /^1 event open, the latest parked at 20/)
  isFound(t, found, 'postgres waiting events', 'warn', /^1 change .* the oldest for 24 h$/)
  await pool.query("update parked_events set settlement = 'discarded', settled_at = now()")
  await pool.query('delete from order_events where event_id = $1', [event_id])
  t.strictSame(faultsIn(await lookAt(t, without)), [])
})

t.test('what the exchange was not told is told, with who tells it, where there is a broker', needs('rabbitmq'), async (t) => {
  const relay = async (mark: 'ok' | 'warn', text: RegExp) => isFound(t, await lookAt(t, env), 'postgres relay', mark, text)
  await pool.query('update feed_cursors set position = coalesce((select max(position) from order_events), 0)')
  await relay('ok', /^the exchange was told everything; no relay tells it$/)
  const { event_id, order } = placement(await insertPerson(pool))
  await pool.query(`insert into order_events (event_id, order_id, version, type, data, request_id, outcome, occurred_at)
    values ($1, $2, 1, 'order.placed', '{}', 'test', 'applied', now())`, [event_id, order.order_id])
  await relay('ok', /^1 event to tell the exchange, the oldest for \d+ s; no relay tells it$/)
  await pool.query("update order_events set recorded_at = now() - interval '1 hour' where event_id = $1", [event_id])
  await pool.query("update feed_cursors set holder = 'shop/7/x', leased_until = now() + interval '1 hour'")
  await relay('warn', /^1 event to tell the exchange, the oldest for 60 min; told by shop\/7\/x$/)
  t.notOk((await lookAt(t, without)).has('postgres relay'), 'without a broker there is no exchange')
  await pool.query('delete from order_events where event_id = $1', [event_id])
  await pool.query('update feed_cursors set holder = null, leased_until = null')
})

t.test('webhooks are told: how many there are, those that are disabled, what is overdue, and a key that is missing', async (t) => {
  const webhooks = async (mark: 'ok' | 'warn' | 'wrong', text: RegExp) => isFound(t, await lookAt(t, without), 'postgres webhooks', mark, text)
  await pool.query('update feed_cursors set position = coalesce((select max(position) from order_events), 0)')
  await webhooks('ok', /^0 enabled, 0 of them failing, 0 disabled; deliveries due: 0$/)
  await pool.query("insert into webhooks (webhook_id, user_id, url, secrets, told_after, failing_since) values (gen_random_uuid(), $1, 'https://example.com', '[]', 0, now())", [await insertPerson(pool)])
  await pool.query("insert into webhook_deliveries (webhook_id, message_id, type) select webhook_id, 'one', 'comanda.order.paid' from webhooks")
  await webhooks('ok', /^1 enabled, 1 of them failing, 0 disabled; deliveries due: 1$/)
  await pool.query("update webhook_deliveries set next_attempt_at = now() - interval '1 hour'")
  await webhooks('warn', /overdue for 60 min$/)
  await pool.query("update webhook_deliveries set missing_key = 'k1'")
  await webhooks('wrong', /some wait for key k1 of DATA_KEYS$/)
  await pool.query('update webhook_deliveries set missing_key = null')
  await pool.query("update webhooks set state = 'disabled', disabled_reason = 'gone', disabled_at = now()")
  await webhooks('warn', /^0 enabled, 0 of them failing, 1 disabled; deliveries due: 0$/)
  await pool.query('truncate webhooks, webhook_deliveries')
  t.notOk((await lookAt(t, { ...without, WEBHOOKS: 'off' })).has('postgres webhooks'))
})

t.test('a clock that differs by more than a second is told, whichever way', needs('redis'), async (t) => {
  for (const [shift, mark, text] of [[-1500, 'warn', /^1\.[45]\d\d s ahead of this machine$/], [90_000, 'warn', /^(89|90)\.\d+ s behind this machine$/], [500, 'ok', /^0\.[45]\d+ s behind/]] as const) {
    const found = await lookAt(t, { ...env, AMQP_URL: '' }, () => Date.now() + shift)
    for (const service of ['postgres', 'redis']) isFound(t, found, `${service} clock`, mark, text)
  }
})

t.test('queues: missing, with other arguments, without a worker, given up', needs('rabbitmq'), async (t) => {
  const channel = await openChannel(t, env.AMQP_URL!)
  const look = async (name: string, mark: 'ok' | 'warn' | 'wrong', text: RegExp) => isFound(t, await lookAt(t, alone), `rabbitmq ${name}`, mark, text)

  await channel.deleteQueue(ORDERS_QUEUE)
  await look(`queue ${ORDERS_QUEUE}`, 'warn', /^there is none yet$/)
  await t.rejects((await openChannel(t, env.AMQP_URL!)).on('error', () => {}).checkQueue(ORDERS_QUEUE), { code: 404 }, 'looking declares nothing')

  await channel.assertQueue(ORDERS_QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'elsewhere' } })
  await look(`queue ${ORDERS_QUEUE}`, 'wrong', /^stands with another x-dead-letter-routing-key: elsewhere, this build declares comanda.orders.dead$/)

  await channel.deleteQueue(ORDERS_QUEUE)
  await declareTopology(channel)
  await look(`messages in ${ORDERS_QUEUE}`, 'warn', /^0 ready, 0 consumers: no worker takes orders$/)
  await publishRaw(channel, '{')
  await look(`messages in ${ORDERS_QUEUE}`, 'wrong', /^1 ready, 0 consumers: no worker takes orders; their age is not known/)
  channel.sendToQueue(DEAD_QUEUE, Buffer.from('{'), { persistent: true })
  await channel.waitForConfirms()
  await look(`messages in ${DEAD_QUEUE}`, 'warn', /^1 ready, 0 consumers: given up by the broker$/)
  const message = await channel.get(ORDERS_QUEUE)
  t.match(message, { fields: { redelivered: false } }, 'looking takes no message')
  for (const name of [ORDERS_QUEUE, DEAD_QUEUE]) await channel.purgeQueue(name)
})

t.test('outside production a service that is not named is run without; in production it is wrong', async (t) => {
  const found = await lookAt(t, without)
  for (const [service, variable] of [['redis', 'REDIS_URL'], ['rabbitmq', 'AMQP_URL']] as const) isFound(t, found, `${service} connection`, 'ok', new RegExp(`^no ${variable}`))
  const wrong = await lookAt(t, { ...without, NODE_ENV: 'production', DATABASE_URL: '' })
  for (const service of ['postgres', 'redis', 'rabbitmq']) isFound(t, wrong, `${service} connection`, 'wrong', /^not looked at/)
})
