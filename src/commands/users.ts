import pg from 'pg'
import { readSettings } from '../config.js'
import { promoteUser } from '../store/users.js'
import { promoteToOperator } from '../usecases/promotion.js'
import { UserError } from '../users/errors.js'

/** Makes a user an operator. @returns the exit code: 1 when there is no such user */
export async function runPromote (env: Record<string, string | undefined>, nickName: string): Promise<number> {
  const { DATABASE_URL: databaseUrl } = readSettings(env, 'DATABASE_URL')
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 2000, application_name: 'comanda users' })
  await client.connect()
  try {
    const userId = await promoteToOperator({ promote: async (name) => await promoteUser(client, name) }, nickName)
    // By number: what a command prints is kept in logs, and they hold nothing personal.
    console.log(`user ${userId} is an operator, from the next login or renewal of a token on`)
    return 0
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    console.error('comanda: no user has this nick_name')
    return 1
  } finally {
    await client.end()
  }
}
