import type { Role } from './roles.js'
import type { Session } from './session.js'

/** What a person gives on registering. */
export interface Registration {
  nick_name: string
  password: string
  full_name: string
  /** 11 digits, check digits verified */
  cpf: string
  email: string
  phone_number: string
}

/** What may be changed of a person by a PATCH; a password has a path of its own. */
export type PersonChange = Partial<Omit<Registration, 'password'>>

/** A user as that user or an operator sees it: never the password. */
export interface User extends Omit<Registration, 'password'> {
  user_id: number
  role: Role
  created_at: string
  updated_at: string
}

/** What is needed to check a password. */
export interface Credentials extends Session {
  /** argon2id in PHC string format */
  password: string
}

/** Postgres' integer */
export const LARGEST_USER_ID = 2147483647

/** Names that look the same are the same: NFC, on registering and on logging in. */
export function canonicalName (nick_name: string): string {
  return nick_name.normalize('NFC')
}
