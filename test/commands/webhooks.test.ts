import t from 'tap'
import { startRelay } from '../support/apps.js'
import { insertPerson } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { openPlace, TEST_DATA_KEY } from '../support/place.js'
import { runComanda } from '../support/processes.js'
import { openReceiver } from '../support/receiver.js'
import { insertUsersEndpoint } from '../support/webhooks.js'

const place = await openPlace(t)
const env = { DATABASE_URL: place.env.DATABASE_URL! }
await startRelay(t, place, { AMQP_URL: '', REDIS_URL: '' })

t.test('comanda webhooks: list, show, test, disable, enable, replay; each is recorded, and no URL is shown whole', async (t) => {
  const run = async (...args: string[]) => {
    const command = runComanda(t, ['webhooks', ...args], env)
    return { code: await command.exited, text: command.output.join('\n') }
  }
  t.strictSame(await run('list'), { code: 0, text: 'there is no webhook' })
  const receiver = await openReceiver(t)
  const user = await insertPerson(place.pool)
  const { webhook_id: id } = await insertUsersEndpoint(place.pool, TEST_DATA_KEY, user, `${receiver.url}/a-path-like-a-password`)
  t.strictSame(await run('list'), { code: 0, text: `${id}  user ${user}  ${receiver.url}  enabled  all events` })
  t.match(await run('test', id, '--by', 'ops'), { code: 0, text: /^delivery (\d+): a relay sends it now/ })
  await eventually('it came', () => receiver.calls.length === 1)
  await eventually('it is recorded', async () => (await place.pool.query("select from webhook_deliveries where state = 'delivered'")).rowCount === 1)
  const shown = await run('show', id)
  t.match(JSON.parse(shown.text), { url: receiver.url, state: 'enabled', deliveries: [{ type: 'comanda.ping', state: 'delivered', attempts: [{ status: 204 }] }] })
  t.notMatch(shown.text, /a-path-like-a-password|whsec|sealed/)
  const { delivery_id: delivery } = (JSON.parse(shown.text) as { deliveries: [{ delivery_id: number }] }).deliveries[0]
  t.match(await run('replay', id, '--delivery', String(delivery)), { code: 0, text: `delivery ${delivery} is due now` })
  await eventually('it came again', () => receiver.calls.length === 2)
  t.match(await run('disable', id), { code: 0, text: /is disabled/ })
  t.match((await run('list')).text, / {2}disabled \(operator\) {2}/)
  t.match(await run('enable', id), { code: 0, text: /is enabled/ })
  t.match(await run('replay', id, '--after', '0'), { code: 0, text: /events behind 0 are delivered/ })
  const actions = (await place.pool.query<{ done: string }>("select actor || ' ' || action as done from actions where target_kind = 'webhook' and target_id = $1 order by action_id", [id])).rows.map(({ done }) => done.replace(/^cli:(?!ops)\S+/, 'cli:me'))
  t.strictSame(actions, ['cli:ops webhook.tested', 'cli:me webhook.replayed', 'cli:me webhook.changed', 'cli:me webhook.changed', 'cli:me webhook.replayed'])
})

t.test('what cannot be done is one line and exit code 1', async (t) => {
  const { webhook_id: id } = await insertUsersEndpoint(place.pool, TEST_DATA_KEY, await insertPerson(place.pool), 'http://127.0.0.1:9')
  const table: Array<[args: string[], said: RegExp]> = [
    [['show', 'x'], /must be a UUID/], [['show', '0199b2f4-6c1d-7e3a-9b58-2f6f0c1d4e7a'], /^comanda: there is no such webhook$/], [['replay', id], /^comanda: give --delivery, or --after$/],
    [['replay', id, '--delivery', '7'], /has no delivery 7$/], [['replay', id, '--after', '999999'], /^comanda: the feed ends at \d+$/], [['replay', id, '--after', '-1'], /must be a whole number/]
  ]
  for (const [args, said] of table) {
    const command = runComanda(t, ['webhooks', ...args], env)
    t.equal(await command.exited, 1, args.join(' '))
    t.match(command.output.join('\n'), said)
  }
})
