import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { aptRefusal } from '../../local/apt.js'
import { findRedis } from '../../local/redis.js'
import { testStateDir } from '../../local/services.js'
import { freshFolder } from '../support/folders.js'
import { bareEnv, find, putCommand } from './bare-machine.js'

const sqlNowhere = { TEST_DATABASE_URL: 'postgres://elsewhere/x', TEST_AMQP_URL: 'amqp://elsewhere' }

/** Answers every client as a Redis would; the port. */
async function redisPeer (t: Test): Promise<number> {
  const server = createServer(socket => { socket.on('data', () => socket.write('+OK\r\n+PONG\r\n')) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

t.test('where a Docker engine answers, a container on a loopback port is used, its password kept out of the arguments, and removed at the end', async t => {
  const calls = join(freshFolder(t), 'calls')
  const port = await redisPeer(t)
  const docker = `echo "$@" >> ${calls}; case $1 in port) echo 127.0.0.1:${port};; esac`
  const { redis, stop } = await find(t, { env: { ...bareEnv(t, { docker }), ...sqlNowhere }, purpose: 'test', stateDir: testStateDir() })
  t.equal(new URL(redis.url ?? '').port, String(port))
  t.match(redis.how, 'redis:8 in the Docker container')
  const run = readFileSync(calls, 'utf8').split('\n').find(line => line.startsWith('run'))
  t.match(run, '--publish 127.0.0.1::6379')
  t.notOk(run?.includes(new URL(redis.url ?? '').password))
  const before = readFileSync(calls, 'utf8').length
  await stop()
  t.match(readFileSync(calls, 'utf8').slice(before), /^stop .*\nrm --force --volumes/)
})

t.test('a Docker client without an engine is no path', async t => {
  const { redis } = await find(t, { env: { ...bareEnv(t, { docker: 'exit 1' }), ...sqlNowhere }, purpose: 'test', stateDir: testStateDir() })
  t.match(redis.how, 'no Docker engine answers')
})

t.test('an engine that cannot run the image is a reason, not an error', async t => {
  const docker = 'case $1 in run) echo "no space left" >&2; exit 1;; esac'
  const { redis } = await find(t, { env: { ...bareEnv(t, { docker }), ...sqlNowhere }, purpose: 'test', stateDir: testStateDir() })
  t.equal(redis.url, null)
  t.match(redis.how, 'docker run redis:8: no space left')
})

t.test('on a throw-away machine apt is asked last, and what it installed is started', {
  skip: (process.getuid?.() !== 0 || !existsSync('/etc/debian_version') || findRedis(process.env) === null) && 'needs root on Debian and a redis-server'
}, async t => {
  const env = { ...bareEnv(t), ...sqlNowhere, CI: 'true', COMANDA_NO_INSTALL: '' }
  putCommand(env, 'apt-get', `test "$5" = "" && test "$4" = redis-server && test "$DEBIAN_FRONTEND" = noninteractive && test -e /usr/sbin/policy-rc.d && /bin/ln -s ${findRedis(process.env)} ${env.PATH}/redis-server`)
  const policyBefore = existsSync('/usr/sbin/policy-rc.d')
  const said: string[] = []
  const { redis } = await find(t, { env, purpose: 'test', stateDir: testStateDir(), say: line => said.push(line) })
  t.match(redis.how, 'Redis: started from the binary')
  t.ok(said.includes('installing redis-server with apt'))
  t.equal(existsSync('/usr/sbin/policy-rc.d'), policyBefore)
})

t.test('apt is refused when forbidden, without root, and where there is none', async t => {
  t.match(aptRefusal({ COMANDA_NO_INSTALL: '1' }, true), 'COMANDA_NO_INSTALL')
  t.match(aptRefusal({}, false), 'needs root')
  t.match(aptRefusal({ PATH: '/nowhere' }, true), 'no apt')
})
