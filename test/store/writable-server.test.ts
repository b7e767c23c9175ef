import pg from 'pg'
import t, { type Test } from 'tap'
import { startPostgresPair } from '../../local/postgres-pair.js'
import { clientSettings, dropIdle, openClient } from '../../src/store/connections.js'
import { inTransaction } from '../../src/store/database.js'
import { storeError } from '../../src/store/failures.js'
import { NoWritableServer, WritableServer } from '../../src/store/writable-server.js'
import { administer } from '../../testkit/databases.js'
import { eventually } from '../support/eventually.js'
import { freshFolder } from '../support/folders.js'
import { openProxy } from '../support/proxy.js'

const pair = await startPostgresPair({ stateDir: freshFolder(t), env: process.env, durable: false })
t.teardown(async () => await pair.stop())

/** Both, the standby first, and a port where nothing listens. */
function urlOf (attrs: string, { dead = false } = {}): string {
  const [standby, primary] = [pair.standby, pair.primary].map(({ url }) => new URL(url)) as [URL, URL]
  const hosts = [...(dead ? ['127.0.0.1:1'] : []), standby.host, primary.host].join(',')
  return `postgres://${primary.username}:${primary.password}@${hosts}${primary.pathname}?target_session_attrs=${attrs}`
}

const portOf = async (client: Pick<pg.Client, 'query'>) => (await client.query<{ port: number }>('select inet_server_port() as port')).rows[0]!.port

async function openPool (t: Test, attrs: string): Promise<pg.Pool> {
  const pool = new pg.Pool(clientSettings({ url: urlOf(attrs), pooling: 'session' }, 'test', { max: 3 }))
  pool.on('error', () => {}) // servers are killed here
  t.teardown(async () => await pool.end())
  return pool
}

t.test('a connection goes to the server that takes writes, past a standby and one that is away', async (t) => {
  for (const attrs of ['read-write', 'primary']) {
    const client = openClient({ url: urlOf(attrs, { dead: true }), pooling: 'session' }, 'test')
    await client.connect()
    t.equal(await portOf(client), pair.primary.port, attrs)
    await client.end()
  }
})

t.test('behind a pooler for transactions it is found likewise', async (t) => {
  const client = openClient({ url: urlOf('read-write'), pooling: 'transaction' }, 'test')
  await client.connect()
  t.equal(await portOf(client), pair.primary.port)
  await client.end()
})

t.test('a server whose sessions are read-only is none for read-write, and is one for primary', async (t) => {
  const set = async (value: string) => {
    await administer(pair.primary.url, `alter system set default_transaction_read_only = ${value}`, 'select pg_reload_conf()')
    await eventually('the setting is in effect', async () => {
      const client = new pg.Client(pair.primary.url)
      await client.connect()
      const { rows } = await client.query<{ value: string }>("select current_setting('default_transaction_read_only') as value")
      await client.end()
      return rows[0]!.value === value
    })
  }
  await set('on')
  await t.rejects(new WritableServer(urlOf('read-write')).find(), { name: 'NoWritableServer', message: `no server takes writes: 127.0.0.1:${pair.standby.port} is a standby, 127.0.0.1:${pair.primary.port} is read-only` })
  t.equal((await new WritableServer(urlOf('primary')).find()).port, pair.primary.port)
  await set('off')
})

t.test('where no server takes writes nothing was sent, and trying again may help; where none answers the first says why', async (t) => {
  const standbyAlone = `${pair.standby.url}?target_session_attrs=read-write`
  const error = storeError(await new WritableServer(standbyAlone).find().catch((error: unknown) => error))
  t.ok(error.cause instanceof NoWritableServer)
  t.match(error, { name: 'StoreError', code: 'unavailable', outcome: 'refused' })
  await t.rejects(new WritableServer('postgres://u:p@127.0.0.1:1,127.0.0.1:2/x?target_session_attrs=primary').find(), { code: 'ECONNREFUSED', port: 1 })
})

t.test('of two that both say they lead the first is taken, and stays so whichever answers last', async (t) => {
  const [first, second] = [await openProxy(t, pair.primary.url), await openProxy(t, pair.primary.url)]
  const both = new URL(first.url)
  const url = first.url.replace(both.host, `${both.host},${new URL(second.url).host}`) + '?target_session_attrs=primary'
  let now = 0
  const server = new WritableServer(url, () => now)
  for (const late of [second, first, second]) {
    for (const proxy of [first, second]) proxy.delay = proxy === late ? 20 : 0
    t.equal((await server.find()).port, Number(both.port))
    await eventually('both were asked', () => first.connections + second.connections === 0)
    now += 10_000
  }
})

t.test('a client that is ended while its server is looked for opens no connection', async (t) => {
  const client = openClient({ url: urlOf('read-write'), pooling: 'session' }, 'left')
  const connecting = client.connect()
  void client.end()
  await t.rejects(connecting, { message: 'Connection terminated' })
})

t.test('once the primary is killed and the standby promoted, a pool goes on there by itself', async (t) => {
  const pool = await openPool(t, 'read-write')
  t.equal(await portOf(pool), pair.primary.port)
  await pool.query('create table moved (n int)')
  await pair.primary.kill('SIGKILL')
  await administer(pair.standby.url, 'select pg_promote()')
  await eventually('it is written to', async () => await pool.query('insert into moved values (1)').then(() => true, () => false))
  t.equal(await portOf(pool), pair.standby.port)
})

t.test('a connection whose server became read-only is given up with the first write that it refuses', async (t) => {
  const pool = await openPool(t, 'primary')
  await pool.query('select 1')
  const write = async () => await inTransaction(pool, async (client) => {
    await client.query('set transaction read only')
    await client.query('create table refused ()')
  })
  t.equal(pool.totalCount, 1)
  await t.rejects(write(), { name: 'StoreError', sqlstate: '25006' })
  t.equal(pool.totalCount, 0)
})

t.test('dropping what is idle closes it, and leaves alone what is in use', async (t) => {
  const pool = await openPool(t, 'primary')
  const clients = await Promise.all(Array.from({ length: 3 }, async () => await pool.connect()))
  const pids = await Promise.all(clients.map(async (client) => (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid))
  for (const client of clients.slice(1)) client.release()
  await dropIdle(pool)
  t.equal(pool.totalCount, 1)
  const { rows } = await clients[0]!.query<{ pid: number }>('select pg_backend_pid() as pid')
  t.equal(rows[0]!.pid, pids[0])
  clients[0]!.release()
})
