import { createInterface } from 'node:readline/promises'
import pg from 'pg'
import { readSettings } from '../config.js'
import { findKnownUser, promoteUser } from '../store/users.js'
import { type KnownUser, promoteToOperator } from '../usecases/promotion.js'
import { UserError } from '../users/errors.js'

type Env = Record<string, string | undefined>

/** How a question is answered. */
export interface Terminal {
  readonly isThere: boolean
  ask (question: string): Promise<string>
}

/** Asked on standard error: what is on standard output is kept in logs. */
const terminal: Terminal = {
  isThere: Boolean(process.stdin.isTTY && process.stderr.isTTY),
  ask: async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr })
    // Ctrl-D is no answer, and without this the process would end as if all were done.
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
    try {
      return await Promise.race([lines.question(question), ended])
    } finally {
      lines.close()
    }
  }
}

/** Makes a user an operator. @returns the exit code: 1 when there is no such user, or a name was not confirmed */
export async function runPromote (env: Env, named: string, { yes }: { yes: boolean }, at: Terminal = terminal): Promise<number> {
  return await withUsers(env, async (client) => {
    const users = {
      byId: async (user_id: number) => await findKnownUser(client, { user_id }),
      byName: async (nick_name: string) => await findKnownUser(client, { nick_name }),
      promote: async (userId: number) => await promoteUser(client, userId)
    }
    const userId = await promoteToOperator(users, named, async (user) => yes || await confirm(at, user))
    if (userId === null) return 1
    // By number: what a command prints is kept in logs, and they hold nothing personal.
    console.log(`user ${userId} is an operator, from the next login or renewal of a token on`)
    return 0
  })
}

async function confirm (at: Terminal, { user_id, nick_name }: KnownUser): Promise<boolean> {
  if (!at.isThere) {
    console.error('comanda: a nick_name must be confirmed, and there is no terminal to ask at; give the user_id, or --yes')
    return false
  }
  const answer = await at.ask(`Make user ${user_id}, nick_name ${plain(nick_name)}, an operator? [y/N] `)
  if (/^y(es)?$/i.test(answer.trim())) return true
  console.error('comanda: nothing was changed')
  return false
}

/** Letters that look like others, or turn the line around, are shown by their numbers. */
function plain (name: string): string {
  return `"${name.replace(/[^\x21-\x5b\x5d-\x7e]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)}"`
}

async function withUsers (env: Env, work: (client: pg.Client) => Promise<number>): Promise<number> {
  const { DATABASE_URL: databaseUrl } = readSettings(env, 'DATABASE_URL')
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 2000, application_name: 'comanda users' })
  await client.connect()
  try {
    return await work(client)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    console.error('comanda: there is no such user')
    return 1
  } finally {
    await client.end()
  }
}
