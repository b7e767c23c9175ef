import { ConfigError, readDatabase } from '../config.js'
import { migrate } from '../store/migrate.js'

/** Creates or changes the tables now, for those who do not want the first process to do it. */
export async function runMigrate (env: Record<string, string | undefined>): Promise<void> {
  const { url, pooling } = readDatabase(env)
  if (pooling === 'transaction') throw new ConfigError('DATABASE_POOLING=transaction: tables are not changed through a pooler; give this command a DATABASE_URL of the server itself, and no DATABASE_POOLING')
  const applied = await migrate(url, { onWait: () => console.error('another process creates or changes the tables: waiting for it') })
  console.log(applied.length > 0 ? `applied: ${applied.join(', ')}` : 'nothing to apply')
}
