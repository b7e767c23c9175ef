import pg from 'pg'
import { loadConfig } from '../config.js'
import { promoteUser } from '../store/users.js'

/** Makes a user an operator. @returns the exit code: 1 when there is no such user */
export async function runPromote (env: Record<string, string | undefined>, nickName: string): Promise<number> {
  const { databaseUrl } = loadConfig('worker', { ...env, NODE_ENV: 'development' }, () => '')
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 2000, application_name: 'comanda users' })
  await client.connect()
  try {
    const userId = await promoteUser(client, nickName)
    if (userId === null) {
      console.error('comanda: no user has this nick_name')
      return 1
    }
    // By number: what a command prints is kept in logs, and they hold nothing personal.
    console.log(`user ${userId} is an operator, from the next login or renewal of a token on`)
    return 0
  } finally {
    await client.end()
  }
}
