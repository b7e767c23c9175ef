import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { declareTopology } from '../../src/broker/topology.js'
import { startApi, startWorker } from '../support/apps.js'
import { openChannel } from '../support/broker.js'
import { limitOf } from '../support/limits.js'
import { needs, openPlace } from '../support/place.js'
import { runComanda } from '../support/processes.js'

const place = await openPlace(t)
const { LOG_LEVEL: _, ...env } = place.env

interface Report { verdict: string, checked_at: string, findings: Array<{ mark: string, subject: string, check: string, found: string, advice: string | null }> }

t.test('comanda doctor prints a line for each finding and one that counts them, without colour where nobody looks', needs('redis', 'rabbitmq'), async (t) => {
  const command = runComanda(t, ['doctor'], { ...env, REDIS_URL: 'redis://:hunter2@127.0.0.1:1' })
  t.equal(await command.exited, 1)
  t.match(command.output.at(-1), /^\d (is|are) wrong, (\d warnings?, )?\d+ are well$/)
  for (const line of command.output.slice(0, -1)) t.match(line, /^(ok|warn|wrong) +(configuration|postgres|redis|rabbitmq) \S.* {2}\S/)
  t.match(command.output.join('\n'), /^wrong {2}redis connection +refused: nothing listens at 127\.0\.0\.1:1 -> start the service, or correct host and port in REDIS_URL$/m)
  for (const hidden of ['hunter2', '\u001B']) t.notOk(command.output.join('\n').includes(hidden))
})

t.test('the exit code is 0 when all is well, 1 when something is wrong, 2 when there are only warnings', needs('redis', 'rabbitmq'), async (t) => {
  const run = async (more: Record<string, string> = {}): Promise<[number | null, Report]> => {
    const { exited, output } = runComanda(t, ['doctor', '--json'], { ...env, ...more })
    const code = await exited
    t.equal(output.length, 1, 'one JSON object')
    return [code, JSON.parse(output[0]!) as Report]
  }
  await declareTopology(await openChannel(t, env.AMQP_URL!))
  const [warned, warning] = await run()
  // A server that tests start for themselves loses what it has in a crash, and says so.
  const durable = warning.findings.some(({ check, mark }) => check === 'durability' && mark === 'ok')
  t.strictSame([warned, warning.verdict], durable ? [2, 'warn'] : [1, 'wrong'])
  t.strictSame(warning.findings.filter(({ mark }) => mark === 'warn').map(({ check }) => check), ['messages in comanda.orders'])
  await Promise.all([startApi(t, place), startWorker(t, place)])
  const [well, wellReport] = await run()
  t.strictSame([well, wellReport.verdict], durable ? [0, 'ok'] : [1, 'wrong'])
  const [wrong, wrongReport] = await run({ PORT: 'http' })
  t.strictSame([wrong, wrongReport.verdict], [1, 'wrong'])
  t.match(wrongReport.findings, [{ mark: 'wrong', subject: 'configuration', check: 'PORT', found: /^PORT is not valid/ }])
})

t.test('it ends in time when every service is silent, and without an environment', async (t) => {
  const sockets: Socket[] = []
  const server = createServer((socket) => { sockets.push(socket.on('error', () => {})) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const started = performance.now()
  const silent = runComanda(t, ['doctor'], { DATABASE_URL: `postgres://ana:hunter2@${host}/x`, REDIS_URL: `redis://:hunter2@${host}`, AMQP_URL: `amqp://ana:hunter2@${host}` })
  const bare = runComanda(t, ['doctor'], {})
  t.strictSame(await Promise.all([silent.exited, bare.exited]), [1, 1])
  const took = performance.now() - started
  t.ok(took < limitOf(15_000), `${Math.round(took)} ms`)
  t.match(bare.output.join('\n'), /wrong {2}configuration DATABASE_URL +DATABASE_URL is missing/)
  t.equal(silent.output.filter((line) => /no answer from/.test(line)).length, 3)
  t.notMatch(silent.output.join('\n'), /hunter2/)
})

t.test('its help tells the exit codes', async (t) => {
  const command = runComanda(t, ['doctor', '--help'], {})
  t.equal(await command.exited, 0)
  t.match(command.output.join('\n'), /Exit code: 0 all is well, 1 something is wrong, 2 /)
})
