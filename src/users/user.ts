import type { Role } from './roles.js'

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

/** A user as the user themself or an operator sees it: never the password. */
export interface User extends Omit<Registration, 'password'> {
  user_id: number
  role: Role
  created_at: string
  updated_at: string
}

/** What is needed to check a password. */
export interface Credentials {
  user_id: number
  role: Role
  /** argon2id in PHC string format */
  password: string
}

/** Names that look the same are the same: NFC, on registering and on logging in. */
export function canonicalName (nick_name: string): string {
  return nick_name.normalize('NFC')
}
