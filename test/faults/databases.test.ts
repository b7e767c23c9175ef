import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { administer } from '../../testkit/databases.js'
import { type App, boot, isUp } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { faultsIn, isFound, lookAt } from '../support/findings.js'
import { isServed, ownDatabase } from '../support/own-database.js'
import { openPlace } from '../support/place.js'
import { runComanda } from '../support/processes.js'

/** Databases as people have them: made by another's hand, with other defaults, schemas, rights and neighbours. */
const place = await openPlace(t)
const SERVER = process.env.TEST_POSTGRES!

async function postgresFaults (t: Test, env: Record<string, string>): Promise<string[]> {
  return faultsIn(await lookAt(t, env)).filter((fault) => fault.includes(' postgres '))
}

for (const encoding of ['LATIN1', 'SQL_ASCII']) {
  t.test(`a database encoded in ${encoding} is refused by api and worker, which end, and by doctor`, async (t) => {
    const { env, run } = await ownDatabase(t, place, `encoding '${encoding}' lc_collate 'C' lc_ctype 'C'`)
    for (const name of ['api', 'worker'] as const) {
      const own = runComanda(t, [name], env)
      t.match((await own.said('postgres_down')).reason, new RegExp(`is encoded in ${encoding}.*UTF8 is needed.*create database`))
      t.equal(await own.exited, 1)
    }
    t.strictSame(await run("select from pg_tables where schemaname = 'public'"), [], 'nothing was created there')
    isFound(t, await lookAt(t, env), 'postgres encoding', 'wrong', new RegExp(`encoded in ${encoding}`))
  })
}

t.test('whatever server, database and role have as defaults, moments, arrays and isolation are as statements rely on', async (t) => {
  const { env, run } = await ownDatabase(t, place)
  const hostile = {
    DateStyle: "'German, DMY'",
    TimeZone: "'Asia/Kathmandu'",
    IntervalStyle: 'sql_standard',
    array_nulls: 'off',
    standard_conforming_strings: 'off',
    default_transaction_isolation: 'serializable',
    default_transaction_deferrable: 'on',
    bytea_output: 'escape',
    client_encoding: 'LATIN1',
    extra_float_digits: '-15',
    transform_null_equals: 'on',
    client_min_messages: 'debug1',
    lc_messages: "'C'",
    row_security: 'off',
    enable_indexscan: 'off',
    plan_cache_mode: 'force_generic_plan',
    backslash_quote: 'off',
    constraint_exclusion: 'on',
    from_collapse_limit: '1'
  }
  await run(...Object.entries(hostile).map(([name, value]) => `alter database <database> set ${name} = ${value}`))
  await isServed(t, place, env)
  t.strictSame(await postgresFaults(t, env), [])
})

for (const [way, schema] of [['in the URL', 'shop'], ['with the database', 'Old Shop']] as const) {
  t.test(`a schema of another name holds all tables, where search_path stands ${way}`, async (t) => {
    const { env, url, run } = await ownDatabase(t, place)
    await run('create schema shop', 'create schema "Old Shop"', 'alter database <database> set search_path = "Old Shop"')
    const named = new URL(url)
    if (schema === 'shop') named.searchParams.set('options', '-c search_path=shop')
    await isServed(t, place, { ...env, DATABASE_URL: named.href })
    const tables = await run<{ schemaname: string }>("select schemaname from pg_tables where tablename in ('orders', 'comanda_migrations')")
    t.strictSame(tables.map(({ schemaname }) => schemaname), [schema, schema])
  })
}

t.test('a schema that is put before the tables later, as one named after the role, hides nothing of them', async (t) => {
  const { env, run } = await ownDatabase(t, place)
  await run('create schema first', 'create schema shop', 'alter database <database> set search_path = shop')
  t.equal(await runComanda(t, ['migrate'], env).exited, 0)
  await run('drop index shop.order_events_by_position, shop.order_events_by_user', 'drop table shop.webhook_deliveries, shop.webhooks, shop.jobs', 'alter table shop.parked_events drop column parked_number', "delete from shop.feed_cursors where name = 'webhooks'", "delete from shop.comanda_migrations where name >= '0010'")
  await run('alter database <database> set search_path = first, shop')
  await isServed(t, place, env)
  t.strictSame(await run("select from pg_tables where schemaname = 'first'"), [])
  t.equal((await run("select from pg_indexes where schemaname = 'shop' and indexname = 'order_events_by_user'")).length, 1, 'what was missing was made beside the others')
})

t.test('a search_path that leads nowhere is told as such', async (t) => {
  const { env, run } = await ownDatabase(t, place)
  await run('alter database <database> set search_path = nowhere')
  const api = await boot(t, 'api', env)
  await eventually('it is told', () => api.lines.some(({ event }) => event === 'postgres_down'))
  t.match(api.lines.find(({ event }) => event === 'postgres_down')?.reason, /search_path names no schema that exists/)
  isFound(t, await lookAt(t, env), 'postgres schema', 'wrong', /search_path names no schema/)
})

t.test("another application's table `migrations` is let be", async (t) => {
  const { env, run } = await ownDatabase(t, place)
  for (const columns of ['id integer, version text', 'name text, run_on timestamp, id integer', 'name bytea']) {
    await run('drop schema public cascade; create schema public', `create table migrations (${columns})`, 'insert into migrations default values')
    const own = runComanda(t, ['migrate'], env)
    t.equal(await own.exited, 0, columns)
    t.match(own.output.at(-1), /^applied: 0001/)
    t.equal((await run('select from migrations')).length, 1)
    t.not((await run('select from comanda_migrations')).length, 0)
  }
  t.strictSame(await postgresFaults(t, env), [])
})

/** One who may log in, and what a superuser does for the schema. */
async function ownRole (t: Test, run: (...statements: string[]) => Promise<unknown>): Promise<string> {
  const role = `r${randomBytes(4).toString('hex')}`
  await run(`create role ${role} login password 'nine quiet lanterns'`)
  t.teardown(async () => await administer(SERVER, `drop role ${role}`))
  return role
}

t.test('a role that may not create tables is told the grant that helps, and with it all goes on by itself', async (t) => {
  const { env, url, run } = await ownDatabase(t, place)
  const role = await ownRole(t, run)
  t.teardown(async () => await run(`drop owned by ${role} cascade`))
  await run('revoke create on schema public from public')
  const own = { ...env, DATABASE_URL: Object.assign(new URL(url), { username: role, password: 'nine quiet lanterns' }).href }
  const api = await boot(t, 'api', own)
  await eventually('it is told', () => api.lines.some(({ event }) => event === 'postgres_down'))
  const told = `${role} may not create tables in schema public (42501): grant create on schema public to ${role}`
  const reason = String(api.lines.find(({ event }) => event === 'postgres_down')?.reason)
  t.match(reason, told)
  t.notMatch(reason, /\n|at .*:\d+/, 'one line without a stack')
  const finding = (await lookAt(t, own)).get('postgres tables')
  t.equal(finding?.mark, 'wrong')
  t.match(finding?.advice, told)
  const migrate = runComanda(t, ['migrate'], own)
  t.equal(await migrate.exited, 1)
  t.match(migrate.output.join('\n'), told)
  t.equal(migrate.output.length, 1)

  await run(`grant create on schema public to ${role}`)
  await isUp(api, 'postgres')
})

t.test('with MIGRATE=off a process waits for tables that another role makes, and works with rights on them alone', async (t) => {
  const { env, url, run } = await ownDatabase(t, place)
  const role = await ownRole(t, run)
  t.teardown(async () => await run(`drop owned by ${role} cascade`))
  await run('revoke create on schema public from public')
  const own = { ...env, MIGRATE: 'off', DATABASE_URL: Object.assign(new URL(url), { username: role, password: 'nine quiet lanterns' }).href }
  const [api, worker] = [await boot(t, 'api', own), await boot(t, 'worker', own)]
  const downs = (app: App) => app.lines.filter(({ event }) => event === 'postgres_down').map(({ reason }) => reason)
  await eventually('it is told', () => downs(api).length > 0 && downs(worker).length > 0)
  for (const app of [api, worker]) t.match(downs(app), [/not as this build needs them.*0001_create_tables.*run `comanda migrate`/])

  t.equal(await runComanda(t, ['migrate'], env).exited, 0)
  isFound(t, await lookAt(t, own), 'postgres rights', 'wrong', new RegExp(`${role} may not read and write .*orders.*users`))
  t.equal(api.health.state('postgres'), 'down', 'tables that it may not touch do not help')
  await run(`grant select, insert, update, delete on all tables in schema public to ${role}`, `grant usage on all sequences in schema public to ${role}`)
  for (const app of [api, worker]) await isUp(app, 'postgres')
  await isServed(t, place, own)
})
