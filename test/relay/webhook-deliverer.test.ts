import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { inTransaction } from '../../src/store/database.js'
import { sweepDeliveries, webhookStatus } from '../../src/store/webhook-upkeep.js'
import { KEPT_MS, WAITING_MS } from '../../src/webhooks/schedule.js'
import { applyBatch } from '../../src/worker/batch.js'
import { startRelay } from '../support/apps.js'
import { insertPerson, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { openPlace, openPool, TEST_DATA_KEY } from '../support/place.js'
import { holds } from '../support/properties.js'
import { openReceiver } from '../support/receiver.js'
import { insertUsersEndpoint } from '../support/webhooks.js'

const place = await openPlace(t)
const pool = openPool(t, place)
const alone = { AMQP_URL: '', REDIS_URL: '' }
const book = async (...users: number[]) => {
  const events = users.map((user) => placement(user))
  await inTransaction(pool, async (client) => await applyBatch(client, events))
  return events
}
const states = async () => (await pool.query<{ state: string }>('select state from webhook_deliveries order by delivery_id')).rows.map(({ state }) => state)

t.beforeEach(async () => { await pool.query('truncate webhook_deliveries, webhooks') })

t.test('a delivery whose key is not given waits, says which, and is made once it is; nothing counts as an attempt', async (t) => {
  const receiver = await openReceiver(t)
  const user = await insertPerson(pool)
  await insertUsersEndpoint(pool, `old:${TEST_DATA_KEY.split(':')[1]}`, user, receiver.url)
  const well = await openReceiver(t)
  await insertUsersEndpoint(pool, TEST_DATA_KEY, user, well.url)
  const relay = await startRelay(t, place, alone)
  await book(user)
  await eventually('it says so', () => relay.lines.some(({ event }) => event === 'webhook_key_missing'))
  t.match(relay.lines.find(({ event }) => event === 'webhook_key_missing'), { level: 'warn', reason: 'DATA_KEYS: old' })
  await eventually('the other one came', () => well.calls.length === 1)
  t.match((await pool.query('select state, tries, attempts, missing_key from webhook_deliveries where missing_key is not null')).rows, [{ state: 'due', tries: 0, attempts: [], missing_key: 'old' }])
  t.strictSame((await webhookStatus(pool)).missing_keys, ['old'])
  await relay.close()
  const wrong = await startRelay(t, place, { ...alone, DATA_KEYS: `${TEST_DATA_KEY},old:${randomBytes(32).toString('base64')}` })
  await pool.query("update webhook_deliveries set next_attempt_at = now() where state = 'due'")
  await eventually('another key of that id does not do', () => wrong.lines.some(({ event }) => event === 'webhook_key_missing'))
  await wrong.close()
  t.equal(receiver.calls.length, 0)
  await startRelay(t, place, { ...alone, DATA_KEYS: `${TEST_DATA_KEY},old:${TEST_DATA_KEY.split(':')[1]}` })
  await pool.query("update webhook_deliveries set next_attempt_at = now() where state = 'due'")
  await eventually('it came', () => receiver.calls.length === 1)
  await eventually('it is recorded', async () => (await states()).every((state) => state === 'delivered'))
})

t.test('no endpoint of a customer is ever called with another\'s event, whoever has how many', async (t) => {
  const users = [await insertPerson(pool), await insertPerson(pool), await insertPerson(pool), await insertPerson(pool)]
  await pool.query("update users set role = 'operator' where user_id = $1", [users[3]])
  await startRelay(t, place, alone)
  const some = (least: number, most: number) => fc.array(fc.integer({ min: 0, max: 3 }), { minLength: least, maxLength: most })
  await holds(t, 12, fc.tuple(some(1, 5), some(1, 12)), async ([owners, buyers]) => {
    await pool.query('delete from webhook_deliveries')
    await pool.query('delete from webhooks')
    const receiver = await openReceiver(t)
    for (const [index, owner] of owners.entries()) await insertUsersEndpoint(pool, TEST_DATA_KEY, users[owner]!, `${receiver.url}/${index}`)
    const events = await book(...buyers.map((buyer) => users[buyer]!))
    const expected = owners.flatMap((owner, index) => events.filter(({ order }) => owner === 3 || order.user_id === users[owner]).map(({ event_id }) => `/${index} ${event_id}`))
    await eventually('the feed is fanned out, and all is delivered', async () => (await pool.query("select from feed_cursors where name = 'webhooks' and position = (select max(position) from order_events)")).rowCount === 1 && (await states()).every((state) => state === 'delivered'))
    t.strictSame(receiver.calls.map(({ path, event }) => `${path} ${event.id}`).sort(), expected.sort())
  })
})

t.test('delivered ones are swept after 30 days, those of a disabled webhook are given up after 30 days, given-up ones stay; a removed one goes with its last', async (t) => {
  const user = await insertPerson(pool)
  const [{ webhook_id: enabled }, { webhook_id: disabled }, { webhook_id: removed }] = [await insertUsersEndpoint(pool, TEST_DATA_KEY, user, 'http://127.0.0.1:9'), await insertUsersEndpoint(pool, TEST_DATA_KEY, user, 'http://127.0.0.1:9'), await insertUsersEndpoint(pool, TEST_DATA_KEY, user, 'http://127.0.0.1:9')]
  await pool.query("update webhooks set state = 'disabled', disabled_reason = 'gone', disabled_at = now() where webhook_id = $1", [disabled])
  await pool.query("update webhooks set state = 'removed', url = null where webhook_id = $1", [removed])
  const insert = async (webhook: string, state: string, days: number) => await pool.query(`
    insert into webhook_deliveries (webhook_id, message_id, type, state, position, created_at, settled_at, next_attempt_at)
    values ($1, gen_random_uuid()::text, $4, $2, 1, now() - $3 * interval '1 day', case when $2 <> 'due' then now() - $3 * interval '1 day' end, case when $2 = 'due' then now() end)`, [webhook, state, days, `${state} ${days}`])
  for (const days of [29, 31]) {
    for (const state of ['delivered', 'given_up']) await insert(enabled, state, days)
    await insert(disabled, 'due', days)
  }
  await insert(enabled, 'due', 32) // as one that waits for a key
  await insert(removed, 'due', 1)
  await insert(removed, 'given_up', 1)
  const sweep = async (rows: number) => await sweepDeliveries(pool, { keptMs: KEPT_MS, waitingMs: WAITING_MS, rows })
  t.equal(await sweep(1), 1, 'a small batch')
  t.equal((await pool.query('select from webhooks where webhook_id = $1', [removed])).rowCount, 1)
  t.equal(await sweep(1), 1)
  t.equal(await sweep(100), 0, 'nothing is left')
  t.strictSame((await pool.query<{ left: string }>("select type || ' is ' || state as left from webhook_deliveries order by 1")).rows.map(({ left }) => left), ['delivered 29 is delivered', 'due 29 is due', 'due 31 is given_up', 'due 32 is due', 'given_up 29 is given_up', 'given_up 31 is given_up'])
  t.match((await pool.query("select attempts from webhook_deliveries where type = 'due 31'")).rows, [{ attempts: [{ failure: 'expired' }] }])
  t.equal((await pool.query('select from webhooks where webhook_id = $1', [removed])).rowCount, 0)
})

t.test('a webhook that has been disabled for more than 30 days gets no further deliveries, and what it missed can be replayed', async (t) => {
  const receiver = await openReceiver(t)
  const user = await insertPerson(pool)
  const { webhook_id: id } = await insertUsersEndpoint(pool, TEST_DATA_KEY, user, receiver.url)
  await pool.query("update webhooks set state = 'disabled', disabled_reason = 'gone', disabled_at = now() - interval '31 days' where webhook_id = $1", [id])
  const relay = await startRelay(t, place, alone)
  const [event] = await book(user)
  await eventually('all is fanned out', async () => await relay.untold() === 0)
  t.strictSame(await states(), [])
  await pool.query("update webhooks set state = 'enabled', disabled_reason = null, disabled_at = null, replay_after = 0, replay_before = 1000000 where webhook_id = $1", [id])
  await eventually('it came', () => receiver.calls.some(({ event: { id } }) => id === event!.event_id))
})

t.test('an event that was decided anew is delivered as its last verdict; the first, if it had not come, is given up', async (t) => {
  const receiver = await openReceiver(t)
  const user = await insertPerson(pool)
  const { webhook_id: id } = await insertUsersEndpoint(pool, TEST_DATA_KEY, user, receiver.url)
  await pool.query("update webhooks set state = 'disabled', disabled_reason = 'owner', disabled_at = now() where webhook_id = $1", [id])
  const relay = await startRelay(t, place, alone)
  const [event] = await book(user)
  await eventually('it is a delivery', async () => (await states()).length === 1)
  await pool.query("update order_events set reopened = 1, position = nextval('order_events_position') where event_id = $1", [event!.event_id])
  await eventually('the second verdict is one too', async () => (await states()).length === 2)
  await pool.query("update webhooks set state = 'enabled', disabled_reason = null, disabled_at = null where webhook_id = $1", [id])
  await eventually('both are settled', async () => !(await states()).includes('due'))
  t.strictSame(await states(), ['given_up', 'delivered'])
  t.strictSame(receiver.calls.map(({ headers }) => headers['webhook-id']), [`${event!.event_id}.2`])
  t.match(relay.lines.filter(({ event }) => event === 'webhook_given_up'), [{ reason: 'superseded' }])
})

t.test('a relay that is stopped gives back what it has no answer to, and the next one calls at once', async (t) => {
  let answers = false
  const receiver = await openReceiver(t, (response) => { if (answers) response.writeHead(204).end() })
  const user = await insertPerson(pool)
  await insertUsersEndpoint(pool, TEST_DATA_KEY, user, receiver.url)
  const relay = await startRelay(t, place, alone)
  await book(user)
  await eventually('it is under way', () => receiver.calls.length === 1)
  const begun = performance.now()
  await relay.close()
  t.ok(performance.now() - begun < 4500, 'within the grace of a process')
  t.match((await pool.query('select next_attempt_at <= now() as now from webhook_deliveries')).rows, [{ now: true }], 'its lease is not waited for')
  answers = true
  await startRelay(t, place, alone)
  await eventually('it came again', () => receiver.calls.length === 2)
  await eventually('it is recorded', async () => (await states())[0] === 'delivered')
  t.match((await pool.query('select attempts from webhook_deliveries')).rows, [{ attempts: [{ status: 204 }] }], 'what was ended by us is no failure')
})

t.test('with WEBHOOKS=off nothing is fanned out and nothing sent, until it is on again', async (t) => {
  const receiver = await openReceiver(t)
  const user = await insertPerson(pool)
  await insertUsersEndpoint(pool, TEST_DATA_KEY, user, receiver.url)
  const off = await startRelay(t, place, { ...alone, WEBHOOKS: 'off' })
  await book(user)
  t.equal(await off.untold(), 0)
  t.notMatch((await off.inject('/metrics')).body, /comanda_webhooks/)
  t.strictSame(await states(), [])
  await off.close()
  await startRelay(t, place, alone)
  await eventually('it came', () => receiver.calls.length === 1)
})

t.test('what there is to tell of webhooks is measured', async (t) => {
  const receiver = await openReceiver(t, (response, { path }) => { response.writeHead(path === '/well' ? 204 : 500).end() })
  const user = await insertPerson(pool)
  for (const path of ['well', 'ill']) await insertUsersEndpoint(pool, TEST_DATA_KEY, user, `${receiver.url}/${path}`)
  const relay = await startRelay(t, place, alone)
  await book(user)
  const metrics = async () => (await relay.inject('/metrics')).body
  await eventually('both are measured', async () => /comanda_webhooks_delivered_total 1[^]*comanda_webhook_attempts_failed_total\{failure="status"\} 1/.test(await metrics()))
  const text = await metrics()
  for (const sample of ['comanda_webhooks{state="enabled"} 1', 'comanda_webhooks{state="failing"} 1', 'comanda_webhooks{state="disabled"} 0', 'comanda_webhooks_due 1', 'comanda_webhooks_given_up_total 0', 'comanda_webhook_attempt_seconds_count 2']) t.ok(text.includes(sample), sample)
})
