import { execFile, spawn, spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { FEED_TYPES, HAPPENINGS } from '../../src/orders/feed-event.js'
import { startApi, startRelay, startWorker } from '../support/apps.js'
import { openChannel } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { booked, newcomer } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'

const docs = readFileSync('docs/events.md', 'utf8')
const block = (language: string) => new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(docs)![1]!
const PYTHON = '/usr/bin/python3' // Debian's own, which its packages belong to
const place = await openPlace(t)
const api = await startApi(t, place)
const ana = await newcomer(api)

const hasPika = spawnSync(PYTHON, ['-c', 'import pika']).status === 0
const listeners = [
  { language: 'python', queue: 'printer', skip: hasPika ? {} : { skip: 'no python3-pika on this machine' }, command: PYTHON, file: 'listen.py' },
  { language: 'js', queue: 'billing', skip: {}, command: process.execPath, file: 'listen.mjs' }
]
for (const { language, queue, skip, command, file } of listeners) {
  t.test(`the consumer in ${language} of docs/events.md is told what happens`, { ...needs('rabbitmq'), ...skip }, async (t) => {
    const channel = await openChannel(t, place.env.AMQP_URL!)
    t.teardown(async () => { await channel.deleteQueue(queue).catch(() => {}) })
    const script = join('.local', `${process.pid}-${file}`) // below the project, so that its packages are found
    // order.paid needs an operator; the rest of the script is as it is told.
    writeFileSync(script, block(language).replace("'order.paid'", "'order.confirmed'"))
    t.teardown(() => rmSync(script, { force: true }))
    const listener = spawn(command, [script], { env: { ...process.env, AMQP_URL: place.env.AMQP_URL! } })
    let output = ''
    for (const stream of [listener.stdout, listener.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
    t.teardown(() => listener.kill('SIGKILL'))
    await eventually('it consumes', async () => {
      const own = await openChannel(t, place.env.AMQP_URL!)
      own.on('error', () => {})
      return await own.checkQueue(queue).then(({ consumerCount }) => consumerCount > 0, () => false)
    })
    const processes = [await startWorker(t, place), await startRelay(t, place)]
    const { order_id: id } = await booked(api, ana)
    await eventually(`it is told: ${output}`, () => output.includes(id))
    for (const one of processes) await one.close()
    t.notMatch(output, /Traceback|Error/)
  })
}

t.test('the curls of docs/events.md show what happened', async (t) => {
  await startWorker(t, place)
  const { order_id: id } = await booked(api, ana)
  const address = await api.listen({ host: '127.0.0.1', port: 0 })
  const script = block('sh').replaceAll('localhost:3000', address.replace('http://', ''))
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { env: { ...process.env, TOKEN: ana.headers.authorization.replace('Bearer ', '') } })
  t.equal(stdout.split(`"subject":"${id}"`).length, 3, 'by a page and by the stream')
  t.match(stdout, /\nevent: comanda\.order\.confirmed\ndata: /)
})

t.test('the table of docs/events.md names every type and its routing key', async (t) => {
  const rows = [...docs.matchAll(/^\| `(comanda\.order\.\w+)` \| `(order\.\w+)` \|/gm)].map(([, type, key]) => [type, key])
  t.strictSame(rows, FEED_TYPES.map((type, index) => [type, `order.${HAPPENINGS[index]}`]))
})
