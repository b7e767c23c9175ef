import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startApi } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { line, newcomer } from '../support/people.js'
import { openPlace } from '../support/place.js'
import { type Process, runBuilt } from '../support/processes.js'
import { launch } from './launched.js'

const place = await openPlace(t)
const launched = await launch(t, place)
const own = await startApi(t, place)
const [ana, bia] = [await newcomer(own), await newcomer(own)]
const stateDir = launched.env.COMANDA_STATE_DIR!
const inState = (name: string) => join(stateDir, name)

/** `npm run comanda -- ...` as it is typed in another terminal: of the services it is told nothing. */
async function comanda (t: Test, args: string[], env: Record<string, string> = {}): Promise<Process & { code: number | null, text: string }> {
  const ran = runBuilt(t, 'local/comanda.js', args, { COMANDA_STATE_DIR: stateDir, ...env })
  const code = await ran.exited
  return { ...ran, code, text: ran.output.join('\n') }
}

t.test('a second start on the same folder is told that it runs already, where, and how to have another', async (t) => {
  const second = runBuilt(t, 'local/start.js', [], launched.env)
  t.equal(await second.exited, 1)
  t.strictSame(second.output, [
    `Comanda is running already: process ${launched.launcherPid}, its data in ${stateDir}.`,
    'For a second one set COMANDA_STATE_DIR to another folder, PORT, WORKER_PORT and RELAY_PORT to free ports.'
  ])
})

t.test('a start in another folder whose port is taken is told which variable to set', async (t) => {
  const other = mkdtempSync(join(tmpdir(), 'comanda-other-'))
  t.teardown(() => rmSync(other, { recursive: true }))
  const second = runBuilt(t, 'local/start.js', [], { ...launched.env, COMANDA_STATE_DIR: other })
  t.equal(await second.exited, 1)
  t.strictSame(second.output, [`port ${launched.env.PORT} is taken by another program: set PORT to another`])
})

t.test('comanda doctor looks at the services that it runs on, whatever the shell has set', async (t) => {
  const { code, text } = await comanda(t, ['doctor', '--json'], { DATABASE_URL: 'postgres://127.0.0.1:1/elsewhere', REDIS_PREFIX: 'elsewhere:' })
  t.not(code, 1, text)
  const { findings } = JSON.parse(text) as { findings: Array<{ subject: string, mark: string }> }
  t.strictSame(findings.filter(({ mark }) => mark === 'wrong'), [])
  for (const service of ['postgres', 'redis', 'rabbitmq']) t.ok(findings.some(({ subject, mark }) => subject === service && mark === 'ok'), service)
  t.notMatch(text, 'elsewhere')
})

t.test('comanda health asks every process that runs there', async (t) => {
  const { code, output } = await comanda(t, ['health'])
  t.equal(code, 0)
  t.equal(output.filter((answer) => answer.includes('"status":"ready"')).length, 3)
})

t.test('comanda users promote and parked list work on the database of what runs there', async (t) => {
  const promoted = await comanda(t, ['users', 'promote', bia.nick_name, '--yes'])
  t.strictSame([promoted.code, promoted.text], [0, `user ${bia.user_id} is an operator; their sessions have ended: the role counts from the next login on`])
  t.equal((await place.pool.query("select from users where user_id = $1 and role = 'operator'", [bia.user_id])).rowCount, 1)
  const parked = await comanda(t, ['parked', 'list'])
  t.strictSame([parked.code, parked.text], [0, 'nothing is parked'])
})

t.test('comanda logs --order without a file tells the story over api and worker', async (t) => {
  const answer = await fetch(`${launched.api}/orders`, { method: 'POST', body: JSON.stringify(line), headers: { ...ana.headers, 'content-type': 'application/json' } })
  const { order_id: orderId } = await answer.json() as { order_id: string }
  await eventually('it is booked', async () => (await place.pool.query('select from orders where order_id = $1', [orderId])).rowCount)
  const story = await eventually('both have told it', async () => {
    const { code, text } = await comanda(t, ['logs', '--order', orderId])
    return text.includes('batch_booked') && { code, text }
  })
  t.equal(story.code, 0)
  t.match(story.text, /api {5}info {3}request POST \/orders 202[^]*worker {2}info {3}Batch booked/)
})

t.test('comanda logs reads the file that is named, and hands its exit code on', async (t) => {
  const { code, text } = await comanda(t, ['logs', '--slow', '1ms', 'no-such-file'])
  t.strictSame([code, text], [1, 'comanda logs: no-such-file cannot be read: there is no such file'])
})

t.test('what tells secrets may be read by its owner alone', async (t) => {
  for (const name of ['running.json', 'operator-password', 'api.log', 'worker.log', 'relay.log']) t.equal(statSync(inState(name)).mode & 0o077, 0, name)
})

t.test('comanda where nothing runs says so in one line, and what to do', async (t) => {
  const other = join(tmpdir(), 'comanda-nothing-there')
  const { code, text } = await comanda(t, ['doctor'], { COMANDA_STATE_DIR: other })
  t.strictSame([code, text], [1, `no Comanda is running here (looked in ${other}): run \`npm start\` in another terminal first`])
})

t.test('Ctrl-C, which comes from the terminal and from npm, ends everything in order: exit code 0, no error line', async (t) => {
  process.kill(-launched.child.pid!, 'SIGINT')
  await eventually('it has heard it', () => launched.text().includes('stopping: '))
  process.kill(-launched.child.pid!, 'SIGINT')
  t.equal(await launched.exited, 0)
  await launched.allGone()
  const text = launched.text()
  t.notMatch(text, /"level":"(error|fatal)"/)
  t.equal(text.split('"event":"closed"').length, 4, 'all said that they closed')
  t.ok(text.endsWith('stopped\n'))
  t.equal(existsSync(inState('running.json')), false)
  t.equal(existsSync(inState('launcher.json')), false)
})
