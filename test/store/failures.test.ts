import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import pg from 'pg'
import t, { type Test } from 'tap'
import { inTransaction, run } from '../../src/store/database.js'
import { isTransient, storeError, StoreError } from '../../src/store/failures.js'
import { openPlace, openPool } from '../support/place.js'
import { openProxy } from '../support/proxy.js'

const place = await openPlace(t)
const url = place.env.DATABASE_URL!

/** What the driver itself says, as this room reads it. */
async function readOf (asking: Promise<unknown>): Promise<Partial<StoreError>> {
  const error = storeError(await asking.then(() => { throw new Error('it answered') }, (error: unknown) => error))
  return { code: (error as StoreError).code, outcome: (error as StoreError).outcome }
}

async function openClient (t: Test, config: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, ...config })
  client.on('error', () => {})
  t.teardown(async () => await client.end().catch(() => {}))
  await client.connect()
  return client
}

t.test('what the driver says by its text alone is told from a defect of ours', async (t) => {
  const unknown = { code: 'unavailable', outcome: 'unknown' }
  const refused = { code: 'unavailable', outcome: 'refused' }

  t.test('a connection that ends under a statement', async (t) => {
    const proxy = await openProxy(t, url)
    const client = await openClient(t, { connectionString: proxy.url })
    const asking = client.query('select pg_sleep(30)')
    const ended = new Promise((resolve) => client.once('end', resolve))
    proxy.cut()
    t.match(await readOf(asking), unknown)
    await ended
    t.match(await readOf(client.query('select 1')), unknown, 'and a statement after it')
  })

  t.test('a client that was ended', async (t) => {
    const client = await openClient(t)
    await client.end()
    t.match(await readOf(client.query('select 1')), unknown)
  })

  t.test('a statement that is not answered in time', async (t) => {
    const client = await openClient(t, { query_timeout: 50 })
    t.match(await readOf(client.query('select pg_sleep(2)')), unknown)
  })

  t.test('a pool that is full, one that is ended, and one whose server is silent', async (t) => {
    const full = openPool(t, place, { max: 1, connectionTimeoutMillis: 100 })
    await inTransaction(full, async () => { t.match(await readOf(full.query('select 1')), refused) })
    const ended = new pg.Pool({ connectionString: url })
    await ended.end()
    t.match(await readOf(ended.query('select 1')), refused)
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    t.teardown(() => silent.close())
    const port = (silent.address() as AddressInfo).port
    const pool = new pg.Pool({ connectionString: `postgres://127.0.0.1:${port}/x`, connectionTimeoutMillis: 100 })
    t.teardown(async () => await pool.end())
    t.match(await readOf(pool.query('select 1')), refused)
  })

  t.test('a server that refuses TLS, and one that is not there', async (t) => {
    const plain = new pg.Pool({ connectionString: url, ssl: true })
    t.teardown(async () => await plain.end())
    if (process.env.PGSSLMODE === undefined) t.equal((await readOf(plain.query('select 1'))).code, 'unavailable')
    const nowhere = new pg.Pool({ connectionString: 'postgres://127.0.0.1:1/x' })
    t.teardown(async () => await nowhere.end())
    t.match(await readOf(nowhere.query('select 1')), refused)
  })
})

t.test('what a failure means is decided by its SQLSTATE, or by the code of its socket', async (t) => {
  const table: Array<[code: string, meaning: [StoreError['code'], StoreError['outcome']]]> = [
    ['23505', ['conflict', 'refused']],
    ...['21000', '23503', '23502', '23514', '22001', '22003', '22008', '22021', '22P02', '22P05', '44000', '54000', 'P0001'].map((code): typeof table[number] => [code, ['bad_data', 'refused']]),
    ...['25006', '26000', '28P01', '3D000', '40001', '40P01', '42501', '42P01', '53100', '53200', '53300', '55P03', '57014', '58030', 'XX000'].map((code): typeof table[number] => [code, ['unavailable', 'refused']]),
    ...['08000', '08003', '08006', '57P01', '57P02', '57P03', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'DEPTH_ZERO_SELF_SIGNED_CERT'].map((code): typeof table[number] => [code, ['unavailable', 'unknown']]),
    ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].map((code): typeof table[number] => [code, ['unavailable', 'refused']])
  ]
  for (const [code, [meaning, outcome]] of table) {
    const error = storeError(Object.assign(new Error('the text does not matter'), { code })) as StoreError
    t.strictSame([error.code, error.outcome, error.sqlstate], [meaning, outcome, code], code)
    t.equal(storeError(error), error, 'judged once')
    t.equal(isTransient(error), meaning === 'unavailable')
  }
})

t.test('whatever the database did not say is a defect: it comes back as it is, and trying again is no use', async (t) => {
  for (const defect of [new TypeError('x is not a function'), new RangeError('Invalid time value'), Object.assign(new Error('bad argument'), { code: 'ERR_INVALID_ARG_TYPE' })]) {
    t.equal(storeError(defect), defect)
    t.equal(isTransient(defect), false)
  }
  t.match(storeError('thrown text'), { name: 'Error', message: 'thrown text' })
})

t.test('a defect in a statement\'s values, or in the work of a transaction, is not taken for an absence', async (t) => {
  const pool = openPool(t, place)
  const circular: { self?: object } = {}
  circular.self = circular
  const error = await run(pool, 'circular', 'select $1::jsonb', [circular]).then(() => null, (error: unknown) => error)
  t.notOk(error instanceof StoreError)
  t.equal(isTransient(error), false)
  const defect = new TypeError('planted')
  await t.rejects(inTransaction(pool, async () => { throw defect }), defect)
  t.equal(await inTransaction(pool, async (client) => (await client.query('select 1')).rowCount), 1, 'the connection is fit for the next one')
})

t.test('what is told of values that cannot be stored names the SQLSTATE and the constraint, never the values', async (t) => {
  const pool = openPool(t, place)
  await pool.query('create table held (amount integer, constraint held_amount check (amount > 0))')
  const refusals = { 'select $1::timestamptz': ['someone@example.com', 'bad_data: SQLSTATE 22007'], 'insert into held values ($1)': [-4711, 'bad_data: SQLSTATE 23514, constraint held_amount'] } as const
  for (const [statement, [value, message]] of Object.entries(refusals)) {
    const error = await run(pool, 'refused', statement, [value]).then(() => null, (error: unknown) => error as StoreError)
    t.equal(error?.message, message)
    t.notMatch(inspect(error, { depth: 9 }), String(value))
  }
})
