import { readSettings } from '../config.js'
import { migrate } from '../store/migrate.js'

/** Creates or changes the tables now, for those who do not want the first process to do it. */
export async function runMigrate (env: Record<string, string | undefined>): Promise<void> {
  const { DATABASE_URL: databaseUrl } = readSettings(env, 'DATABASE_URL')
  const applied = await migrate(databaseUrl, { onWait: () => console.error('another process creates or changes the tables: waiting for it') })
  console.log(applied.length > 0 ? `applied: ${applied.join(', ')}` : 'nothing to apply')
}
