import t from 'tap'
import { boot } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { faultsIn, isFound, lookAt } from '../support/findings.js'
import { isServed, ownDatabase } from '../support/own-database.js'
import { needsPgbouncer, startPgbouncer } from '../support/pgbouncer.js'
import { openPlace } from '../support/place.js'
import { runComanda } from '../support/processes.js'

/** The real one, in transaction mode: each transaction on whichever connection of the server is free. */
const place = await openPlace(t)
const PARAMETERS = 'extra_float_digits,options,statement_timeout,lock_timeout,idle_in_transaction_session_timeout'

t.test('with DATABASE_POOLING=transaction orders are served through a PgBouncer as it is delivered, once the tables are made past it', needsPgbouncer, async (t) => {
  const { env, url } = await ownDatabase(t, place)
  const pooled = { ...env, DATABASE_URL: await startPgbouncer(t, url), DATABASE_POOLING: 'transaction' }
  const through = runComanda(t, ['migrate'], pooled)
  t.equal(await through.exited, 1)
  t.match(through.output.join('\n'), /DATABASE_POOLING=transaction: tables are not changed through a pooler/)
  t.equal(await runComanda(t, ['migrate'], env).exited, 0)

  const { api, person } = await isServed(t, place, pooled)
  const lists = await Promise.all(Array.from({ length: 60 }, async () => await api.inject({ url: '/orders', headers: person.headers })))
  t.strictSame(lists.filter(({ statusCode }) => statusCode !== 200).map(({ body }) => body), [])
  t.strictSame(faultsIn(await lookAt(t, pooled)).filter((fault) => fault.includes(' postgres ')), [])
})

t.test('without it each process says so, by whichever fault the pooler makes of a session, and doctor does', needsPgbouncer, async (t) => {
  const { env, url } = await ownDatabase(t, place)
  t.equal(await runComanda(t, ['migrate'], env).exited, 0)
  for (const ignored of ['', PARAMETERS]) {
    const through = { ...env, DATABASE_URL: await startPgbouncer(t, url, ignored) }
    for (const name of ['api', 'worker'] as const) {
      const app = await boot(t, name, through)
      await eventually('it is told', () => app.lines.some(({ event }) => event === 'postgres_down'))
      t.match(app.lines.find(({ event }) => event === 'postgres_down')?.reason, /pooler.*: set DATABASE_POOLING=transaction/, `${name}, ignoring ${ignored || 'nothing'}`)
    }
    const found = await lookAt(t, through)
    isFound(t, found, ignored === '' ? 'postgres connection' : 'postgres session', 'wrong', /pooler/)
  }
})

t.test('defaults of the role that statements cannot bear are told by name, since nothing can be set through a pooler', needsPgbouncer, async (t) => {
  const { env, url, run } = await ownDatabase(t, place)
  t.equal(await runComanda(t, ['migrate'], env).exited, 0)
  await run("alter database <database> set DateStyle = 'SQL, DMY'", "alter database <database> set default_transaction_isolation = 'serializable'", "alter database <database> set TimeZone = 'Asia/Kathmandu'")
  const pooled = { ...env, DATABASE_URL: await startPgbouncer(t, url), DATABASE_POOLING: 'transaction' }
  const api = await boot(t, 'api', pooled)
  await eventually('it is told', () => api.lines.some(({ event }) => event === 'postgres_down'))
  t.match(api.lines.find(({ event }) => event === 'postgres_down')?.reason, /cannot bear: DateStyle is SQL, DMY, default_transaction_isolation is serializable: alter role \w+ set DateStyle = 'ISO', 'MDY'; /)
  isFound(t, await lookAt(t, pooled), 'postgres session', 'wrong', /DateStyle is SQL, DMY/)
})
