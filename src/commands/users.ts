import { userInfo } from 'node:os'
import { createInterface } from 'node:readline/promises'
import type pg from 'pg'
import { shareMark } from '../cache/share-mark.js'
import { readDatabase, readSettings } from '../config.js'
import { openPool } from '../store/connections.js'
import { changeRoleFor, endSessionsFor } from '../store/user-changes.js'
import { findKnownUser } from '../store/users.js'
import { actOnNamed, type KnownUser } from '../usecases/promotion.js'
import { type Actor, commandLine } from '../users/actions.js'
import { UserError } from '../users/errors.js'
import { SESSION_S } from '../users/session.js'

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

interface Named { yes: boolean, by?: string }
/** What a command does to a user. */
interface Deed {
  /** null where there is no such user */
  act (pool: pg.Pool, userId: number, by: Actor): Promise<{ epoch: number, changed: boolean } | null>
  ask (who: string): string
  said (userId: number, changed: boolean): string
}

const promotion: Deed = {
  act: async (pool, userId, by) => await changeRoleFor(pool, userId, 'operator', by),
  ask: (who) => `Make ${who}, an operator?`,
  said: (userId, changed) => changed ? `user ${userId} is an operator; their sessions have ended: the role counts from the next login on` : `user ${userId} was an operator before`
}
const demotion: Deed = {
  act: async (pool, userId, by) => await changeRoleFor(pool, userId, 'customer', by),
  ask: (who) => `Take the role of operator from ${who}?`,
  said: (userId, changed) => changed ? `user ${userId} is a customer; their sessions have ended` : `user ${userId} was no operator`
}
const end: Deed = {
  act: async (pool, user_id, by) => {
    const epoch = await endSessionsFor(pool, { user_id, epoch: ANY_EPOCH }, by)
    return epoch === null ? null : { epoch, changed: true }
  },
  ask: (who) => `End every session of ${who}?`,
  said: (userId) => `every session of user ${userId} has ended`
}
/** Postgres' integer: as large as an epoch can be. */
const ANY_EPOCH = 2147483647

/** Each @returns the exit code: 1 when there is no such user, or a name was not confirmed; 2 when it is done and the apis could not be told */
export async function runPromote (env: Env, named: string, options: Named, at?: Terminal): Promise<number> {
  return await runDeed(env, named, options, promotion, at)
}

export async function runDemote (env: Env, named: string, options: Named, at?: Terminal): Promise<number> {
  return await runDeed(env, named, options, demotion, at)
}

export async function runEndSessions (env: Env, named: string, options: Named, at?: Terminal): Promise<number> {
  return await runDeed(env, named, options, end, at)
}

async function runDeed (env: Env, named: string, { yes, by = userInfo().username }: Named, deed: Deed, at: Terminal = terminal): Promise<number> {
  return await withUsers(env, async (pool) => {
    const users = {
      byId: async (user_id: number) => await findKnownUser(pool, { user_id }),
      byName: async (nick_name: string) => await findKnownUser(pool, { nick_name })
    }
    const done = await actOnNamed(users, named, async (user) => yes || await confirm(at, deed, user), async (userId) => await deed.act(pool, userId, commandLine(by)))
    if (!done) return 1
    const { userId, result: { epoch, changed } } = done
    // By number: what a command prints is kept in logs, and they hold nothing personal.
    const { REDIS_URL: url, REDIS_PREFIX: prefix } = readSettings(env, 'REDIS_URL', 'REDIS_PREFIX')
    console.log(`${deed.said(userId, changed)}${url === undefined ? `; no REDIS_URL is given: ${UNTOLD}` : ''}`)
    const failure = url === undefined ? null : await shareMark(url, prefix, SESSION_S * 1000, { user_id: userId, epoch })
    if (failure) console.error(`comanda: the apis were not told (${failure.message}): ${UNTOLD}; repeat it once Redis is back`)
    return failure ? 2 : 0
  })
}

/** What holds where no api hears of it. */
const UNTOLD = 'old tokens are good until they are renewed or expire, 15 minutes at most'

async function confirm (at: Terminal, deed: Deed, { user_id, nick_name }: KnownUser): Promise<boolean> {
  if (!at.isThere) {
    console.error('comanda: a nick_name must be confirmed, and there is no terminal to ask at; give the user_id, or --yes')
    return false
  }
  const answer = await at.ask(`${deed.ask(`user ${user_id}, nick_name ${plain(nick_name)}`)} [y/N] `)
  if (/^y(es)?$/i.test(answer.trim())) return true
  console.error('comanda: nothing was changed')
  return false
}

/** Letters that look like others, or turn the line around, are shown by their numbers. */
function plain (name: string): string {
  return `"${name.replace(/[^\x21-\x5b\x5d-\x7e]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)}"`
}

async function withUsers (env: Env, work: (pool: pg.Pool) => Promise<number>): Promise<number> {
  const pool = openPool(readDatabase(env), 'users')
  try {
    return await work(pool)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    console.error('comanda: there is no such user')
    return 1
  } finally {
    await pool.end()
  }
}
