import { createHash, randomUUID } from 'node:crypto'
import type { PasswordsPort } from '../../../src/usecases/ports.js'

export class MemoryPasswords implements PasswordsPort {
  /** How many passwords were worked through: what the real one takes its time for. */
  worked = 0

  async hash (password: string): Promise<string> {
    return this.#derive(password, randomUUID())
  }

  async check (hashed: string | null, password: string): Promise<boolean> {
    return this.#derive(password, (hashed ?? '').split('$')[0]!) === hashed
  }

  #derive (password: string, salt: string): string {
    this.worked++
    return `${salt}$${createHash('sha256').update(salt + password).digest('base64')}`
  }
}
