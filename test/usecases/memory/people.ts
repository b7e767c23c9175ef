import { type Action, type ActionName, actionOnUser, actorOf, type Requester } from '../../../src/users/actions.js'
import type { CredentialsPort, UsersPort } from '../../../src/usecases/ports.js'
import { UserError } from '../../../src/users/errors.js'
import type { Role } from '../../../src/users/roles.js'
import type { Session } from '../../../src/users/session.js'
import type { Credentials, PersonChange, Registration, User } from '../../../src/users/user.js'
import { storeAway } from './store-away.js'

interface Row extends Registration {
  user_id: number
  role: Role
  epoch: number
  created_at: string
  updated_at: string
}

/** Users as two ports see them, and what was done to them. An erased one keeps its id, its epoch and its name. */
export class MemoryPeople implements UsersPort, CredentialsPort {
  readonly #rows: Row[] = []
  readonly #erased = new Map<number, { epoch: number, nick_name: string }>()
  readonly #actions: Action[]
  #lastId = 0
  #away = false

  constructor (actions: Action[] = []) {
    this.#actions = actions
  }

  async insert (person: Registration): Promise<User> {
    this.#ask()
    this.#checkFree(person)
    const now = new Date().toISOString()
    const row: Row = { ...person, user_id: ++this.#lastId, role: 'customer', epoch: 0, created_at: now, updated_at: now }
    this.#rows.push(row)
    return userOf(row)
  }

  async find (userId: number): Promise<User | null> {
    const row = this.#row(userId)
    return row ? userOf(row) : null
  }

  async list ({ after, limit, nick_name: name }: { after: number, limit: number, nick_name?: string | undefined }): Promise<User[]> {
    this.#ask()
    return this.#rows.filter((row) => row.user_id > after && (name === undefined || row.nick_name === name)).slice(0, limit).map(userOf)
  }

  async update (userId: number, change: PersonChange, by: Requester): Promise<User | null> {
    const row = this.#row(userId)
    checkCustomer(row, by)
    const changed = row && { ...row, ...change }
    if (!changed || JSON.stringify(changed) === JSON.stringify(row)) return null
    this.#checkFree(change, row)
    this.#record(by, 'user.changed', userId)
    return userOf(Object.assign(row, changed, { updated_at: new Date().toISOString() }))
  }

  async erase (userId: number, by: Requester): Promise<number | null> {
    const row = this.#row(userId)
    checkCustomer(row, by)
    if (!row) return this.#erased.get(userId)?.epoch ?? null
    this.#rows.splice(this.#rows.indexOf(row), 1)
    this.#erased.set(userId, { epoch: row.epoch + 1, nick_name: row.nick_name })
    this.#record(by, 'user.erased', userId)
    return row.epoch + 1
  }

  async existed (userId: number): Promise<boolean> {
    return this.#row(userId) !== undefined || this.#erased.has(userId)
  }

  async ofName (nickName: string): Promise<Credentials | null> {
    this.#ask()
    return credentialsOf(this.#rows.find(({ nick_name: name }) => name === nickName))
  }

  async ofUser (userId: number): Promise<Credentials | null> {
    return credentialsOf(this.#row(userId))
  }

  async session (userId: number): Promise<Session | null> {
    const row = this.#row(userId)
    return row ? { user_id: userId, role: row.role, epoch: row.epoch } : null
  }

  async replace (userId: number, hashes: { old: string, new: string }, by: Requester): Promise<number | null> {
    const row = this.#row(userId)
    if (row?.password !== hashes.old) return null
    row.password = hashes.new
    this.#record(by, 'user.password_changed', userId)
    return ++row.epoch
  }

  async endSessions ({ user_id: userId, epoch }: Pick<Session, 'user_id' | 'epoch'>, by: Requester): Promise<number | null> {
    const row = this.#row(userId)
    if (!row || row.epoch > epoch) return null
    this.#record(by, 'sessions.ended', userId)
    return ++row.epoch
  }

  async rehash (userId: number, hashes: { old: string, new: string }): Promise<void> {
    const row = this.#row(userId)
    if (row?.password === hashes.old) row.password = hashes.new
  }

  async promote (userId: number, by: Requester): Promise<{ epoch: number, changed: boolean } | null> {
    const row = this.#row(userId)
    if (!row || row.role === 'operator') return row ? { epoch: row.epoch, changed: false } : null
    row.role = 'operator'
    this.#record(by, 'user.promoted', userId)
    return { epoch: ++row.epoch, changed: true }
  }

  /** By another way. */
  makeOperator (userId: number): void {
    const row = this.#row(userId)
    if (row) row.role = 'operator'
  }

  cut (): void {
    this.#away = true
  }

  #record (by: Requester, action: ActionName, userId: number): void {
    this.#actions.push(actionOnUser(actorOf(by), action, userId))
  }

  #ask (): void {
    if (this.#away) throw storeAway()
  }

  #row (userId: number): Row | undefined {
    this.#ask()
    return this.#rows.find(({ user_id: id }) => id === userId)
  }

  #checkFree ({ nick_name: name, cpf }: PersonChange, but?: Row): void {
    const others = this.#rows.filter((row) => row !== but)
    const isTaken = others.some((row) => row.nick_name === name) || [...this.#erased.values()].some((erased) => erased.nick_name === name)
    if (isTaken || others.some((row) => row.cpf === cpf)) throw new UserError('account_taken')
  }
}

function checkCustomer (row: Row | undefined, by: Requester): void {
  if (row?.role === 'operator' && row.user_id !== by.user_id) throw new UserError('operator_account')
}

function userOf ({ password, epoch, ...user }: Row): User {
  return user
}

function credentialsOf (row: Row | undefined): Credentials | null {
  return row ? { user_id: row.user_id, role: row.role, epoch: row.epoch, password: row.password } : null
}
