import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'
import t, { type Test } from 'tap'
import { Pseudonyms } from '../../src/auth/pseudonyms.js'
import { serializeEvent } from '../../src/orders/envelope.js'
import { acceptedView } from '../../src/orders/view.js'
import { columnTypes, inTransaction, type Pool, run } from '../../src/store/database.js'
import { StoreError } from '../../src/store/failures.js'
import { insertFallback } from '../../src/store/fallback-queue.js'
import { migrate } from '../../src/store/migrate.js'
import { findOrder } from '../../src/store/orders.js'
import { keyNames } from '../../src/store/taken-names.js'
import { listOrderEvents } from '../../src/store/timeline.js'
import { insertUser } from '../../src/store/users.js'
import { newCpf } from '../../testkit/cpf.js'
import { administer, databaseUrl } from '../../testkit/databases.js'
import { amendment, enqueueFallback, insertPerson, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { openPlace } from '../support/place.js'

const place = await openPlace(t)
const { pool } = place
const url = place.env.DATABASE_URL!
const pseudonyms = new Pseudonyms(place.env.PSEUDONYM_KEY!)

/** What a promise was refused with. */
async function refusal (promise: Promise<unknown>): Promise<StoreError> {
  const error = await promise.then(() => null, (error: unknown) => error)
  if (error instanceof StoreError) return error
  throw new Error(`not refused with a StoreError: ${String(error)}`)
}

/** A pool with as many connections as named, errors swallowed as the plugin does. */
function ownPool (t: Test, options: pg.PoolConfig = {}): Pool {
  const own = new pg.Pool({ connectionString: url, max: 1, ...options })
  own.on('error', () => {})
  t.teardown(async () => await own.end())
  return own
}

/** Ends the session of this backend and resolves when it is gone. */
async function terminate (pid: number): Promise<void> {
  await pool.query('select pg_terminate_backend($1)', [pid])
  await eventually('the backend is gone', async () => (await pool.query('select 1 from pg_stat_activity where pid = $1', [pid])).rowCount === 0)
}

const pidOf = async (client: Pick<pg.PoolClient, 'query'>) => (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid

t.test('five migrations at once on one empty database all succeed and apply everything once', async (t) => {
  const name = `${new URL(url).pathname.slice(1)}_${randomBytes(3).toString('hex')}`
  await administer(url, `create database ${name}`)
  t.teardown(async () => await administer(url, `drop database ${name} with (force)`))
  const fresh = databaseUrl(url, name)
  const applied = await Promise.all(Array.from({ length: 5 }, async () => await migrate(fresh)))
  t.strictSame(applied.map((names) => names.length).sort(), [0, 0, 0, 0, readdirSync('src/store/migrations').length], 'one found the work, four found it done')
  t.strictSame(await migrate(fresh), [], 'a later start finds nothing to do')
  const client = new pg.Client({ connectionString: fresh })
  await client.connect()
  const { rows } = await client.query<{ table_name: string }>('select table_name from information_schema.tables where table_schema = \'public\' order by 1')
  t.strictSame(rows.map(({ table_name: table }) => table), ['actions', 'comanda_migrations', 'fallback_queue', 'feed_cursors', 'jobs', 'order_events', 'orders', 'outbox', 'parked_actions', 'parked_deeds', 'parked_events', 'taken_names', 'users', 'webhook_deliveries', 'webhooks'])
  t.equal((await client.query('select 1 from comanda_migrations')).rowCount, applied.flat().length)
  await client.end()
})

t.test('a database of the release before keeps its users, and their names can be erased for good', async (t) => {
  const name = `${new URL(url).pathname.slice(1)}_${randomBytes(3).toString('hex')}`
  await administer(url, `create database ${name}`)
  t.teardown(async () => await administer(url, `drop database ${name} with (force)`))
  const before = databaseUrl(url, name)
  const old = new pg.Pool({ connectionString: before, max: 1 })
  old.on('error', () => {}) // its database is dropped while it closes
  await old.query(readFileSync('src/store/migrations/0001_create_tables.sql', 'utf8'))
  await old.query(`create table migrations (id serial primary key, name varchar(255) not null, run_on timestamp not null);
    insert into migrations (name, run_on) values ('0001_create_tables', now())`)
  const user = await insertPerson(old)
  t.ok((await migrate(before)).length > 0)
  const { rows: [kept] } = await old.query<{ nick_name: string, session_epoch: number }>('select nick_name, session_epoch from users')
  t.equal(kept!.session_epoch, 0)
  t.strictSame((await old.query('select from taken_names')).rowCount, 0, 'none of a user who is there')
  await old.query('update users set nick_name = null, password = null, full_name = null, cpf = null, email = null, phone_number = null, erased_at = now() where user_id = $1', [user])
  const plain = createHash('sha256').update(kept!.nick_name).digest()
  const hashes = async () => (await old.query('select name_hash, keyed from taken_names')).rows
  t.strictSame(await hashes(), [{ name_hash: plain, keyed: false }], 'a process of that release leaves a plain hash')
  const again = async () => await insertUser(old, pseudonyms, { nick_name: kept!.nick_name, password: 'x', full_name: 'x', cpf: newCpf(), email: 'x', phone_number: 'x' })
  await t.rejects(again(), { code: 'account_taken' })
  t.strictSame((await Promise.all([1, 2, 3].map(async () => await keyNames(old, pseudonyms)))).toSorted(), [0, 0, 1], 'several that key it at once do so once')
  t.match(await hashes(), [{ keyed: true }])
  t.notSame((await hashes())[0].name_hash, plain)
  await t.rejects(again(), { code: 'account_taken' }, 'the name stays taken')
  t.equal((await insertUser(old, new Pseudonyms('another key'), { nick_name: kept!.nick_name, password: 'x', full_name: 'x', cpf: newCpf(), email: 'x', phone_number: 'x' })).nick_name, kept!.nick_name, 'for as long as the key is kept')
  await old.query('insert into taken_names (name_hash, keyed) select sha256(n::text::bytea), false from generate_series(1, 1001) as n')
  t.equal(await keyNames(old, pseudonyms), 1001, 'more than are keyed at once')
  t.equal((await old.query('select from taken_names where not keyed')).rowCount, 0)
  await old.end()
})

t.test('a migration of a server that is away is refused as unavailable', async (t) => {
  t.match(await refusal(migrate('postgres://127.0.0.1:1/x')), { code: 'unavailable', outcome: 'refused' })
})

const order = async (given: Record<string, unknown> = {}): Promise<void> => {
  const row: Record<string, unknown> = {
    order_id: randomUUID(), user_id: buyer, item_description: 'x', item_quantity: 3, item_price: 5, total_value: 15, status: 'confirmed', version: 1, event_id: randomUUID(), created_at: new Date(), updated_at: new Date(), ...given
  }
  const names = Object.keys(row)
  await run(pool, 'insert_order', `insert into orders (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})`, Object.values(row))
}
const buyer = await insertPerson(pool)

t.test('an order whose total is not quantity x price is refused by the table', async (t) => {
  t.match(await refusal(order({ total_value: 16 })), { code: 'bad_data', constraint: 'orders_total' })
  await order({ item_quantity: 1_000_000, item_price: 100_000_000, total_value: 100_000_000_000_000 })
  const { rows } = await ownPool(t, { types: columnTypes }).query('select total_value from orders')
  t.strictSame(rows, [{ total_value: 100_000_000_000_000 }], 'read as a number')
})

t.test('an order that breaks a bound is refused by the table', async (t) => {
  const faults: Array<Record<string, unknown>> = [
    { item_quantity: 0, total_value: 0 }, { item_quantity: -1, total_value: -5 }, { item_price: -1, total_value: -3 }, { version: 0 },
    { status: 'accepted' }, { status: 'rejected' }, { status: 'x' }, { user_id: 0 }, { item_description: 'x'.repeat(257) }, { item_description: null }, { item_description: 'a\u0000' }
  ]
  for (const fault of faults) t.match(await refusal(order(fault)), { code: 'bad_data', outcome: 'refused' }, JSON.stringify(fault))
})

t.test('a user is whole or erased, nothing between', async (t) => {
  const personal = ['nick_name', 'password', 'full_name', 'cpf', 'email', 'phone_number']
  const user = await insertPerson(pool)
  const change = async (text: string) => await run(pool, text.slice(0, 60), `update users set ${text} where user_id = $1`, [user])
  for (const name of personal) t.match(await refusal(change(`${name} = null`)), { constraint: 'users_erased' }, `without ${name}`)
  t.match(await refusal(change('erased_at = now()')), { constraint: 'users_erased' }, 'erased and still named')
  const cleared = personal.map((name) => `${name} = null`)
  t.match(await refusal(change(`${cleared.slice(1).join(', ')}, erased_at = now()`)), { constraint: 'users_erased' }, 'erased but for the name')
  await change(`${cleared.join(', ')}, erased_at = now()`)
  t.match(await refusal(change(`cpf = '${newCpf()}'`)), { constraint: 'users_erased' }, 'nothing comes back')
})

t.test('only one applied event has an order\'s version', async (t) => {
  const orderId = randomUUID()
  const insert = async (outcome: string) => await run(pool, 'insert_event', `
    insert into order_events (event_id, order_id, version, type, data, request_id, outcome, occurred_at)
    values ($1, $2, 1, 'order.placed', '{}', 'r', $3, now())`, [randomUUID(), orderId, outcome])
  for (const outcome of ['applied', 'rejected', 'rejected', 'waiting']) await insert(outcome)
  t.match(await refusal(insert('applied')), { code: 'conflict', constraint: 'order_events_chain' })
})

t.test('a transaction is kept when its work resolves and undone when it throws', async (t) => {
  const nick = async (name: string) => (await pool.query('select 1 from users where nick_name = $1', [name])).rowCount
  const rename = async (name: string, then: () => void) => await inTransaction(pool, async (client) => {
    await run(client, 'rename', 'update users set nick_name = $1 where user_id = $2', [name, buyer])
    then()
    return 'done'
  })
  t.equal(await rename('kept', () => {}), 'done')
  t.equal(await nick('kept'), 1)
  const cause = new Error('no')
  await t.rejects(rename('undone', () => { throw cause }), cause)
  t.equal(await nick('undone'), 0)
  t.equal(await nick('kept'), 1)
})

t.test('a COMMIT that ended as ROLLBACK is an error, though Postgres calls it a success', async (t) => {
  const own = ownPool(t)
  await t.rejects(inTransaction(own, async (client) => {
    await client.query('update users set nick_name = \'lost\' where user_id = $1', [buyer])
    await client.query('select 1 / 0').catch(() => {})
  }), { message: /ROLLBACK/ }, 'a defect of whoever swallowed the error')
  t.equal((await pool.query('select 1 from users where nick_name = \'lost\'')).rowCount, 0)
  t.equal(await inTransaction(own, async (client) => (await client.query('select 1')).rowCount), 1, 'the connection is fit for the next one')
})

t.test('a connection cut while it is checked out fails its transaction alone and is not used again', async (t) => {
  const own = ownPool(t)
  let pid = 0
  const error = await refusal(inTransaction(own, async (client) => {
    pid = await pidOf(client)
    const cut = once(client as pg.PoolClient, 'error') // it is ours while checked out: nobody else may hear it
    await terminate(pid)
    await cut
    await client.query('select 1')
  }))
  t.match(error, { code: 'unavailable', outcome: 'unknown' })
  t.equal(own.totalCount, 0, 'thrown away')
  t.not(await inTransaction(own, pidOf), pid)
})

t.test('a connection cut under a running statement is not used again either', async (t) => {
  const own = ownPool(t)
  let pid = 0
  const error = await refusal(inTransaction(own, async (client) => {
    pid = await pidOf(client)
    await Promise.all([client.query('select pg_sleep(30)'), eventually('it runs', async () =>
      (await pool.query('select 1 from pg_stat_activity where pid = $1 and state = \'active\'', [pid])).rowCount === 1).then(async () => await terminate(pid))])
  }))
  t.match(error, { code: 'unavailable', outcome: 'unknown', sqlstate: '57P01' })
  t.not(await inTransaction(own, pidOf), pid)
})

t.test('a connection cut by a swallowed error does not commit', async (t) => {
  const own = ownPool(t)
  const error = await refusal(inTransaction(own, async (client) => {
    await client.query('update users set nick_name = \'cut\' where user_id = $1', [buyer])
    await terminate(await pidOf(client))
    await client.query('select 1').catch(() => {})
  }))
  t.match(error, { code: 'unavailable', outcome: 'unknown' })
  t.equal((await pool.query('select 1 from users where nick_name = \'cut\'')).rowCount, 0)
})

t.test('an event of a newer schema hides nothing of its order that this build can show', async (t) => {
  const first = placement(await insertPerson(pool))
  const newer = { ...JSON.parse(serializeEvent(amendment(first)).json) as object, dataschema: 'urn:comanda:order-event:2', data: { version: 'not a number here' } }
  await enqueueFallback(pool, [first])
  await insertFallback(pool, [{ event: { event_id: randomUUID(), order: { order_id: first.order.order_id } }, json: JSON.stringify(newer) }])
  t.match(await findOrder(pool, first.order.order_id), { view: acceptedView(first) })
  t.match(await listOrderEvents(pool, first.order.order_id, [], { limit: 10, after: undefined }), [{ event_id: first.event_id }])
  await pool.query('delete from fallback_queue')
  t.strictSame(await findOrder(pool, first.order.order_id), { view: null, rejected: false })
})

t.test('a moment is read as it was written, to the millisecond, and never rounded up', async (t) => {
  const own = ownPool(t, { types: columnTypes })
  for (const [given, read] of [
    ['2026-11-23 12:00:00+00', '2026-11-23T12:00:00.000Z'], ['2026-11-23 12:00:00.1+00', '2026-11-23T12:00:00.100Z'], ['2026-11-23 12:00:00.123999+00', '2026-11-23T12:00:00.123Z'], ['2026-11-23 12:00:00.05+00', '2026-11-23T12:00:00.050Z'],
    ['2026-11-23 14:00:00.5+02', '2026-11-23T12:00:00.500Z'], ['12026-11-23 12:00:00+00', '+012026-11-23T12:00:00.000Z']
  ] as const) {
    for (const zone of ['UTC', 'America/Sao_Paulo']) {
      const client = await own.connect()
      await client.query(`set timezone to '${zone}'`)
      t.equal((await client.query<{ moment: string }>('select $1::timestamptz as moment', [given])).rows[0]!.moment, read, `${given} in ${zone}`)
      await client.query('reset timezone')
      client.release()
    }
  }
})
