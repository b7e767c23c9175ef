import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { runner } from 'node-pg-migrate'
import { storeError } from './failures.js'

const MIGRATIONS = fileURLToPath(new URL('migrations', import.meta.url))

/**
 * Applies what is missing of the numbered migrations, in one transaction, under an advisory lock: several processes
 * starting at once queue up and all but the first find nothing to do.
 * @returns the names of the migrations applied
 * @throws StoreError
 */
export async function migrate (databaseUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 2000, application_name: 'comanda migrate' })
  client.on('error', () => {}) // the query under way reports it
  try {
    await client.connect()
    const applied = await runner({
      dbClient: client,
      dir: MIGRATIONS,
      direction: 'up',
      loader: 'legacy',
      migrationsTable: 'migrations',
      advisoryLockMode: 'wait',
      log: () => {}
    } as Parameters<typeof runner>[0])
    return applied.map(({ name }) => name)
  } catch (error) {
    throw storeError(error)
  } finally {
    await client.end().catch(() => {})
  }
}
