import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t from 'tap'
import { postgresAnswers } from '../../local/answers.js'
import { serverUser } from '../../local/postgres-binaries.js'
import { startPostgres } from '../../local/postgres.js'
import { freshFolder } from '../support/folders.js'
import { bareEnv } from './bare-machine.js'

t.test('a Postgres that was killed recovers what was committed, on the port asked for', async t => {
  const start = { stateDir: freshFolder(t), env: bareEnv(t), durable: false }
  const first = await startPostgres(start)
  t.teardown(() => first.stop())
  const client = new pg.Client({ connectionString: first.url })
  client.on('error', () => {})
  await client.connect()
  await client.query('create table kept as select 42 as answer')
  await first.kill('SIGKILL')
  t.equal(await postgresAnswers(first.url, 1000), false)

  const second = await startPostgres({ ...start, port: first.port })
  t.teardown(() => second.stop())
  t.equal(second.url, first.url)
  const again = new pg.Client({ connectionString: second.url })
  await again.connect()
  t.same((await again.query('select answer from kept')).rows, [{ answer: 42 }])
  await again.end()

  t.test('one that is stopped does not answer even on an open connection, and goes on when continued', async t => {
    const client = new pg.Client({ connectionString: second.url, query_timeout: 300 })
    await client.connect()
    await second.kill('SIGSTOP')
    await t.rejects(client.query('select 1'), /timeout/)
    await second.kill('SIGCONT')
    t.equal(await postgresAnswers(second.url, 2000), true)
    await client.end()
  })
})

t.test('a postmaster.pid that names some other program does not keep Postgres from starting', async t => {
  const start = { stateDir: freshFolder(t), env: bareEnv(t), durable: false }
  const first = await startPostgres(start)
  const file = join(start.stateDir, 'data-18', 'postmaster.pid')
  const text = readFileSync(file, 'utf8')
  await first.stop()
  // Postgres itself sees through its own parent, and through processes of other users
  const other = spawn('sleep', ['60'], { ...serverUser() })
  t.teardown(() => other.kill())
  writeFileSync(file, text.replace(/^\d+/, String(other.pid)))
  const second = await startPostgres(start)
  t.teardown(() => second.stop())
  t.equal(await postgresAnswers(second.url, 1000), true)
})

t.test('a server that cannot start is an error with the end of its log', async t => {
  const start = { stateDir: freshFolder(t), env: bareEnv(t), durable: false, settings: { shared_buffers: 'plenty' } }
  await t.rejects(startPostgres(start), /Postgres ended while starting[^]*invalid value for parameter "shared_buffers"/)
})

t.test('root is told when the user Postgres runs as cannot enter the folder', { skip: process.getuid?.() !== 0 && 'not root' }, async t => {
  const closed = join(freshFolder(t), 'closed')
  mkdirSync(closed)
  chmodSync(closed, 0o700)
  await t.rejects(startPostgres({ stateDir: join(closed, 'state'), env: bareEnv(t), durable: false }), /cannot enter .*closed\/state/)
})
