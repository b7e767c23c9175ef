import { maskedCpf } from './cpf.js'
import { LARGEST_USER_ID, type User } from './user.js'

export interface UserPage {
  /** With their CPFs masked. */
  items: User[]
  next_cursor: string | null
}

/** Opaque to clients: the last user_id of a page. */
export function encodeCursor (user_id: number): string {
  return Buffer.from(`user ${user_id}`).toString('base64url')
}

/** @returns null for what encodeCursor never made */
export function decodeCursor (cursor: string): number | null {
  const [, digits = ''] = /^user ([1-9]\d*)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  const user_id = Number(digits)
  // Encoded again it must be the same: Buffer skips what is not base64url.
  return user_id > 0 && user_id <= LARGEST_USER_ID && encodeCursor(user_id) === cursor ? user_id : null
}

/** Cuts a list read with one row more than asked for. Whole CPFs are read one at a time. */
export function toPage (rows: readonly User[], limit: number): UserPage {
  const items = rows.slice(0, limit).map((user) => ({ ...user, cpf: maskedCpf(user.cpf) }))
  const last = items.at(-1)
  return { items, next_cursor: rows.length > limit && last ? encodeCursor(last.user_id) : null }
}
