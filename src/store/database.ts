import pg from 'pg'
import { storeError, StoreError } from './failures.js'

export type Client = Pick<pg.PoolClient, 'query'>
export type Pool = pg.Pool

/** As Postgres writes it in UTC, which every session of ours asks for: only cut, a fifth of what a Date costs. Anything else is read as such. */
function momentOf (text: string): string {
  if (!text.endsWith('+00') || text[4] !== '-') return new Date(text).toISOString()
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, -3).padEnd(3, '0').slice(0, 3)}Z`
}

/** int8 and timestamptz as this service speaks them: safe integers and ISO 8601 in UTC. */
export const columnTypes = {
  getTypeParser (oid: number, format?: 'text' | 'binary'): unknown {
    if (format !== 'binary' && oid === pg.types.builtins.INT8) return Number
    if (format !== 'binary' && oid === pg.types.builtins.TIMESTAMPTZ) return momentOf
    return pg.types.getTypeParser(oid, format)
  }
}

/**
 * An array parameter of values that need no quoting: ids, numbers, moments, our own words. Never for text that a client
 * typed. (Measured: pg quotes and escapes every element, a fifth of the worker's time an order.)
 */
export function plainArray (values: ReadonlyArray<string | number | null>): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`
}

/** Runs one prepared statement. @throws StoreError; a defect as it is */
export async function run<Row extends object> (client: Client, name: string, text: string, values: unknown[]): Promise<Row[]> {
  try {
    return (await client.query<Row>({ name, text, values })).rows
  } catch (error) {
    throw storeError(error)
  }
}

/** SQLSTATE of a write where none is taken: the server has become a standby, and whichever took its place is reached by a new connection. */
const READ_ONLY = '25006'

/**
 * Runs `work` in one transaction.
 * A COMMIT of a failed transaction is answered with the tag ROLLBACK and no error: the tag is checked.
 * @throws StoreError, with outcome `unknown` when the answer to COMMIT was lost; what `work` threw, where that is none
 */
export async function inTransaction<T> (pool: Pool, work: (client: Client) => Promise<T>): Promise<T> {
  return await withClient(pool, async (client, broken) => {
    try {
      await client.query('begin')
      const result = await work(client)
      const { command } = await client.query('commit')
      if (command !== 'COMMIT') throw new Error(`the transaction ended with ${command}`)
      return result
    } catch (error) {
      await client.query('rollback').catch(broken)
      throw error
    }
  })
}

/**
 * Runs `work`, one statement that commits by itself: for a commit in one journey there and back.
 * @throws StoreError, with outcome `unknown` when the answer was lost; what `work` threw, where that is none
 */
export async function inStatement<T> (pool: Pool, work: (client: Client) => Promise<T>): Promise<T> {
  return await withClient(pool, work)
}

/** @throws StoreError; what `work` threw, where that is none */
async function withClient<T> (pool: Pool, work: (client: Client, broken: () => void) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => { throw storeError(error) })
  // A checked-out client without a listener takes the process down when its connection is cut.
  const onError = () => { broken = true }
  let broken = false
  client.on('error', onError)
  try {
    return await work(client, onError)
  } catch (error) {
    const failure = storeError(error)
    if (failure instanceof StoreError && failure.sqlstate === READ_ONLY) broken = true
    throw failure
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

/** Work within a transaction that may fail by itself: then it is as if it had never begun, and the transaction goes on. @throws as it came */
export async function savepoint<T> (client: Client, work: () => Promise<T>): Promise<T> {
  await client.query('savepoint work')
  try {
    const result = await work()
    await client.query('release savepoint work')
    return result
  } catch (error) {
    await client.query('rollback to savepoint work')
    throw error
  }
}
