import { closeSync, existsSync, openSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { freePort } from '../../local/ports.js'
import { NodeProcess } from '../../testkit/processes.js'
import { BUILD } from '../support/build.js'
import { eventually } from '../support/eventually.js'
import { openPlace } from '../support/place.js'
import { samplesOf, valueOf } from '../support/scrape.js'

const place = await openPlace(t)

t.test('with the disk of its log full a process starts, serves, counts the lines that it drops, and ends in order', { skip: !existsSync('/dev/full') && 'no /dev/full on this machine' }, async (t) => {
  const full = openSync('/dev/full', 'w')
  const port = await freePort()
  const { HOME, TEST_MARK } = process.env
  const own = new NodeProcess([resolve(BUILD, 'src/cli.js'), 'api'], { HOME, TEST_MARK, ...place.env, AMQP_URL: '', REDIS_URL: '', PORT: String(port) }, ['ignore', full, 'ignore', 'ipc'])
  closeSync(full)
  t.teardown(async () => {
    own.signal('SIGKILL')
    await own.ended
  })
  const origin = `http://127.0.0.1:${port}`
  await eventually('it is ready', async () => (await fetch(`${origin}/readyz`).catch(() => null))?.ok === true)
  const dropped = async () => valueOf(samplesOf(await (await fetch(`${origin}/metrics`)).text()), 'comanda_log_lines_dropped_total') ?? 0
  await eventually('more than is kept was dropped', async () => {
    await Promise.all(Array.from({ length: 500 }, async () => { await (await fetch(`${origin}/nowhere`)).text() }))
    return await dropped() > 0
  })
  own.signal('SIGTERM')
  t.equal((await own.ended).code, 0)
})
