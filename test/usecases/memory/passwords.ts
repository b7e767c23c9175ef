import { createHash, randomUUID } from 'node:crypto'
import type { PasswordsPort } from '../../../src/usecases/ports.js'
import { folded } from '../../../src/users/password.js'

const OLD = 'old-'

export class MemoryPasswords implements PasswordsPort {
  /** How many passwords were worked through: what the real one takes its time for. */
  worked = 0

  async hash (password: string): Promise<string> {
    return this.#derive(password, randomUUID())
  }

  async isCommon (password: string): Promise<boolean> {
    return ['password', 'password1', 'baseball'].includes(folded(password))
  }

  needsRehash (hashed: string): boolean {
    return hashed.startsWith(OLD)
  }

  /** At another cost, as an older release did. */
  hashBefore (password: string): string {
    return this.#derive(password, OLD + randomUUID())
  }

  async check (hashed: string | null, password: string): Promise<boolean> {
    return this.#derive(password, (hashed ?? '').split('$')[0]!) === hashed
  }

  #derive (password: string, salt: string): string {
    this.worked++
    return `${salt}$${createHash('sha256').update(salt + password).digest('base64')}`
  }
}
