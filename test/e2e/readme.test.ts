import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { freePort } from '../../local/ports.js'
import { environmentTable } from '../support/environment-table.js'
import { eventually } from '../support/eventually.js'
import { keepPerson } from '../support/personal-data.js'
import { openPlace } from '../support/place.js'
import { runBuilt } from '../support/processes.js'

const readme = readFileSync('README.md', 'utf8')
const place = await openPlace(t)

t.test('the environment table says what config.ts reads', async (t) => {
  t.ok(readFileSync('docs/configuration.md', 'utf8').includes(environmentTable()), `docs/configuration.md should hold:\n${environmentTable()}`)
})

t.test('the layout names every folder of src', async (t) => {
  const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory())
  for (const { name } of folders) t.ok(readme.includes(`src/${name}`), name)
})

t.test('what npm start runs takes the README\'s curls from registration to a confirmed order, and stops cleanly on Ctrl-C', async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'comanda-readme-'))
  t.teardown(() => rmSync(stateDir, { recursive: true, force: true }))
  const [port, workerPort, relayPort] = [await freePort(), await freePort(), await freePort()]
  const dev = runBuilt(t, 'local/start.js', [], { ...place.env, NODE_ENV: 'development', PORT: String(port), WORKER_PORT: String(workerPort), RELAY_PORT: String(relayPort), COMANDA_STATE_DIR: stateDir, JWT_SECRET: '' })
  await eventually('it is ready', () => dev.output.includes('Comanda is ready'), 20_000)
  t.match(dev.output.join('\n'), /Postgres: .*\n/)
  t.match(dev.output.join('\n'), /operator {2}nick_name "operator", password "\S+"/)

  const [, curls = ''] = /```sh\n([\s\S]*?)```/.exec(readme) ?? []
  keepPerson(JSON.parse(/-d '(.*)'/.exec(curls)![1]!))
  const script = curls.replaceAll('localhost:3000', `127.0.0.1:${port}`)
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script])
  t.match(stdout, /"nick_name":"ana"/)
  const [, order_id = ''] = /"order_id":"([^"]+)"/.exec(stdout) ?? []
  t.match(stdout, /"status":"(accepted|confirmed)"/)
  await eventually('it is confirmed', async () => (await place.pool.query("select from orders where order_id = $1 and status = 'confirmed' and total_value = 3980", [order_id])).rowCount === 1)
  const events = await place.pool.query('select type, outcome from order_events where order_id = $1', [order_id])
  t.match(events.rows, [{ type: 'order.placed', outcome: 'applied' }])

  const sample = /```ts\n([\s\S]*?)```/.exec(readme)![1]!
  t.equal(sample.trimEnd().split('\n').length, 5)
  const file = join(stateDir, 'sample.ts')
  writeFileSync(file, sample.replace('localhost:3000', `127.0.0.1:${port}`).replace('./clients', join(process.cwd(), 'clients')))
  writeFileSync(join(stateDir, 'package.json'), '{ "type": "module" }')
  const { stdout: printed } = await promisify(execFile)(process.execPath, ['--import', import.meta.resolve('tsx'), file])
  t.match(printed, /^[0-9a-f-]{36} accepted\n$/)

  dev.child.kill('SIGINT')
  t.equal(await dev.exited, 0)
  t.equal(dev.output.at(-1), 'stopped')
  await t.rejects(fetch(`http://127.0.0.1:${port}/livez`))
  await t.rejects(fetch(`http://127.0.0.1:${workerPort}/livez`))
})
