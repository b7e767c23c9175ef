import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../../local/ports.js'
import { startApi, startRelay, startWorker } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { freshFolder } from '../support/folders.js'
import { booked, newcomer } from '../support/people.js'
import { openPlace } from '../support/place.js'
import { runBuilt } from '../support/processes.js'

const place = await openPlace(t)
const env = { AMQP_URL: '' }

t.test('the receiver of docs/webhooks.md takes what is signed, and nothing else', async (t) => {
  const [, text] = /```js\n([^`]+)```/.exec(readFileSync('docs/webhooks.md', 'utf8'))!
  const folder = freshFolder(t)
  const [file, port] = [join(folder, 'receiver.mjs'), await freePort()]
  // Beside no node_modules of its own: the package is found from here.
  writeFileSync(file, text!.replace("'standardwebhooks'", JSON.stringify(import.meta.resolve('standardwebhooks'))))
  const api = await startApi(t, place, env)
  await startWorker(t, place, env)
  const ana = await newcomer(api)
  const created = await api.inject({ method: 'POST', url: '/webhooks', headers: ana.headers, payload: { url: `http://127.0.0.1:${port}/comanda` } })
  const { webhook_id: id, secret } = created.json<{ webhook_id: string, secret: string }>()
  const receiver = runBuilt(t, file, [], { WEBHOOK_SECRET: secret, PORT: String(port) })
  await eventually('it listens', async () => await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: '{}' }).then(({ status }) => status === 401, () => false))
  await startRelay(t, place, env)
  const { order_id } = await booked(api, ana)
  await eventually('it was told', () => receiver.output.includes(`comanda.order.confirmed ${order_id}`))
  await eventually('it is recorded', async () => (await api.inject({ url: `/webhooks/${id}/deliveries`, headers: ana.headers })).json<{ items: Array<{ state: string, attempts: Array<{ status: number }> }> }>().items.some(({ state, attempts }) => state === 'delivered' && attempts[0]!.status === 204))
})
