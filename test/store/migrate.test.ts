import { once } from 'node:events'
import { PG_MIGRATE_LOCK_ID } from 'node-pg-migrate'
import t, { type Test } from 'tap'
import { migrate } from '../../src/store/migrate.js'
import { eventually } from '../support/eventually.js'
import { limitOf } from '../support/limits.js'
import { openPlace, type Place } from '../support/place.js'
import { runComanda } from '../support/processes.js'
import { openProxy } from '../support/proxy.js'

/** A database without tables, while another session, of a release before this one perhaps, creates them. */
async function held (t: Test): Promise<{ place: Place, letGo: () => Promise<void> }> {
  const place = await openPlace(t)
  const other = await place.pool.connect()
  t.teardown(() => { other.release(true) })
  await other.query('drop schema public cascade; create schema public')
  await other.query('select pg_advisory_lock($1::bigint)', [PG_MIGRATE_LOCK_ID])
  return { place, letGo: async () => { await other.query('select pg_advisory_unlock($1::bigint)', [PG_MIGRATE_LOCK_ID]) } }
}

for (const name of ['api', 'worker'] as const) {
  t.test(`SIGTERM while another process creates the tables ends the ${name} in order, and a line says what it waited for`, async (t) => {
    const { place } = await held(t)
    const own = runComanda(t, [name], place.env)
    await own.said('migrations_awaited')
    await own.said('started')
    own.child.kill('SIGTERM')
    t.equal(await own.exited, 0)
    t.match(own.output.at(-1), '"event":"closed"')
    t.equal(own.output.filter((line) => line.includes('migrations_awaited')).length, 1)
  })
}

t.test('comanda migrate says on standard error that it waits, and goes on when the other is done', async (t) => {
  const { place, letGo } = await held(t)
  const own = runComanda(t, ['migrate'], place.env)
  await once(own.child, 'output')
  t.strictSame(own.output, ['another process creates or changes the tables: waiting for it'])
  await letGo()
  t.equal(await own.exited, 0)
  t.match(own.output.at(-1), /^applied: .*, /)
})

t.test('a limit that role or database set for statements is not one of migrations: on a full table they take as long as they take', async (t) => {
  const { place, letGo } = await held(t)
  await letGo()
  const other = await place.pool.connect()
  t.teardown(() => { other.release(true) })
  const { rows } = await other.query<{ name: string, database: string }>("select name, current_database() as database from pg_settings where name in ('statement_timeout', 'transaction_timeout')")
  for (const { name, database } of rows) await other.query(`alter database "${database}" set ${name} = '1s'`)
  await other.query('begin; create table users (user_id int)')
  const migrating = migrate(place.env.DATABASE_URL!)
  const waits = "select from pg_stat_activity where application_name = 'comanda migrate' and wait_event_type = 'Lock' and now() - query_start > '1500 ms'"
  await Promise.race([migrating, eventually('it has waited for longer than the limit', async () => (await place.pool.query(waits)).rowCount === 1)])
  await other.query('rollback')
  t.equal((await migrating)[0], '0001_create_tables')
})

t.test('a migration that is given up is rejected with the reason, and leaves nothing behind', async (t) => {
  const { place } = await held(t)
  const giving = new AbortController()
  await t.rejects(migrate(place.env.DATABASE_URL!, { signal: giving.signal, onWait: () => giving.abort(new Error('no longer wanted')) }), { message: 'no longer wanted' })
  t.strictSame((await place.pool.query("select from pg_tables where schemaname = 'public'")).rowCount, 0)
})

t.test('a migration is given up at once while its server, silent, does not even let it in', async (t) => {
  const place = await openPlace(t)
  const proxy = await openProxy(t, place.env.DATABASE_URL!)
  proxy.mode = 'mute'
  const giving = new AbortController()
  const migrating = migrate(proxy.url, { signal: giving.signal })
  await eventually('it connects', () => proxy.connections > 0)
  const started = performance.now()
  giving.abort(new Error('no longer wanted'))
  await t.rejects(migrating, { message: 'no longer wanted' })
  t.ok(performance.now() - started < limitOf(1000), 'the driver would give up after 2 s')
})
