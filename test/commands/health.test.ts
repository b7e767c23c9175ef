import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { freePort } from '../../local/ports.js'
import { COMPOSE_TEXT, environmentOf, OURS } from '../support/compose.js'
import { needsIpv6 } from '../support/ipv6.js'
import { openPlace } from '../support/place.js'
import { runComanda } from '../support/processes.js'

type Environment = Record<string, string>

const place = await openPlace(t)
const secrets = Object.fromEntries([...COMPOSE_TEXT.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => [name!, name === 'DATA_KEYS' ? `k1:${randomBytes(32).toString('base64')}` : randomBytes(32).toString('base64url')]))

/** What the compose file gives a container, with the addresses of this place and ports of its own. */
async function containerOf (name: typeof OURS[number]): Promise<Environment> {
  const here = Object.entries(place.env).filter(([key]) => ['DATABASE_URL', 'REDIS_URL', 'REDIS_PREFIX', 'AMQP_URL'].includes(key))
  const [port, workerPort, relayPort, opsPort] = [await freePort(), await freePort(), await freePort(), await freePort()]
  return { ...environmentOf(name, secrets), ...Object.fromEntries(here), HOST: '127.0.0.1', PORT: String(port), WORKER_PORT: String(workerPort), RELAY_PORT: String(relayPort), OPS_PORT: String(opsPort) }
}

async function health (t: Test, env: Environment): Promise<{ code: number | null, output: string[] }> {
  const command = runComanda(t, ['health'], env)
  return { code: await command.exited, output: command.output }
}

for (const name of OURS) {
  t.test(`in the container of the ${name} it says what /readyz of the ${name} says`, async (t) => {
    const env = await containerOf(name)
    const running = runComanda(t, [name], env)
    await running.said('postgres_up')
    await running.said('started')
    const { code, output } = await health(t, env)
    t.equal(code, 0, output.join('\n'))
    t.equal((JSON.parse(output[0]!) as { services: { postgres: { state: string } } }).services.postgres.state, 'up')
  })
}

t.test('a process that is not ready is exit code 1, with what it says', async (t) => {
  const env = { ...await containerOf('worker'), DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nowhere' }
  await runComanda(t, ['worker'], env).said('started')
  const { code, output } = await health(t, env)
  t.equal(code, 1)
  t.match(output[0], /"status":"unready"/)
})

for (const host of ['::1', '::', '0.0.0.0', 'localhost']) {
  t.test(`a process that listens on ${host} is found`, host.includes(':') ? needsIpv6 : {}, async (t) => {
    const env = { ...await containerOf('api'), HOST: host }
    const running = runComanda(t, ['api'], env)
    await running.said('postgres_up')
    await running.said('started')
    t.match(await health(t, env), { code: 0, output: [/"status":"(ready|degraded)"/] })
  })
}

t.test('where no process answers it is exit code 1, and says so', async (t) => {
  t.strictSame(await health(t, await containerOf('api')), { code: 1, output: ['no process of Comanda answers here'] })
})
