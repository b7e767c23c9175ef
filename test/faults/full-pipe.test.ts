import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { Socket } from 'node:net'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { freePort } from '../../local/ports.js'
import { NodeProcess } from '../../testkit/processes.js'
import { BUILD } from '../support/build.js'
import { eventually } from '../support/eventually.js'
import { freshFolder } from '../support/folders.js'
import { limitOf } from '../support/limits.js'
import { openPlace } from '../support/place.js'
import { samplesOf, valueOf } from '../support/scrape.js'

const place = await openPlace(t)
const REQUESTS = 6000

t.test('while the log is not read the api serves, counts what it drops, tells of it once it is read again, and ends', async (t) => {
  const path = join(freshFolder(t), 'log')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(path, constants.O_WRONLY)
  const port = await freePort()
  const { HOME, TEST_MARK } = process.env
  const own = new NodeProcess([resolve(BUILD, 'src/cli.js'), 'api'], { HOME, TEST_MARK, ...place.env, AMQP_URL: '', REDIS_URL: '', PORT: String(port) }, ['ignore', writer, 'ignore', 'ipc'])
  closeSync(writer)
  t.teardown(async () => {
    own.signal('SIGKILL')
    await own.ended
  })
  const origin = `http://127.0.0.1:${port}`
  const isReady = async () => (await fetch(`${origin}/readyz`)).ok
  await eventually('it is ready', async () => await isReady().catch(() => false))

  const agent = new Agent({ keepAlive: true, maxSockets: 20 })
  t.teardown(() => agent.destroy())
  const ask = async () => await new Promise<void>((resolve, reject) => { get(`${origin}/nowhere`, { agent, timeout: limitOf(5000) }, (response) => response.resume().on('end', resolve)).on('error', reject).on('timeout', () => reject(new Error('not answered'))) })
  await Promise.all(Array.from({ length: REQUESTS }, ask))
  t.ok(await isReady(), 'probes are answered')
  const dropped = async () => valueOf(samplesOf(await (await fetch(`${origin}/metrics`)).text()), 'comanda_log_lines_dropped_total') ?? 0
  const many = await dropped()
  t.ok(many > 0, `${many} lines were dropped`)

  const reading = new Socket({ fd: reader, readable: true, writable: false })
  t.teardown(() => reading.destroy())
  const lines = createInterface(reading)
  let told = 0
  let requests = 0
  lines.on('line', (line) => {
    const { event, lines } = JSON.parse(line) as { event: string, lines: number }
    if (event === 'log_lines_dropped') told = lines
    if (event === 'request') requests++
  })
  await eventually('it is told', () => told)
  t.equal(told, many)
  t.equal(requests, REQUESTS - many, 'every line is whole, and either read or counted')
  lines.close()
  reading.pause()

  await Promise.all(Array.from({ length: REQUESTS }, ask))
  own.signal('SIGTERM')
  t.equal((await own.ended).code, 0, 'nor does it hold the end')
})
