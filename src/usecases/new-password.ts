import { UserError } from '../users/errors.js'
import { canonicalPassword, type OwnWords, passwordFault } from '../users/password.js'
import type { PasswordsPort } from './ports.js'

/**
 * A password that may be set, as a hash.
 * @param about `member` of the body that it came in, `own` words of the user whose it is to be, `from` as PasswordsPort has it
 * @throws UserError `weak_password`
 */
export async function hashNewPassword (passwords: PasswordsPort, given: string, { member, own, from }: { member: string, own: OwnWords, from?: string | undefined }): Promise<string> {
  const password = canonicalPassword(given)
  const detail = passwordFault(password, own) ?? (await passwords.isCommon(password) ? 'is a common password' : null)
  if (detail !== null) throw new UserError('weak_password', { fault: { member, detail } })
  return await passwords.hash(password, from)
}

/**
 * Whether it is the one that was hashed. Hashes of before were made of a password as it was typed, not of its canonical form:
 * where the two differ both are tried, for an unknown user too.
 */
export async function checkPassword (passwords: PasswordsPort, hashed: string | null, given: string, from?: string): Promise<{ right: boolean, asGiven: boolean }> {
  const password = canonicalPassword(given)
  if (await passwords.check(hashed, password, from)) return { right: true, asGiven: false }
  const asGiven = password !== given && await passwords.check(hashed, given, from)
  return { right: asGiven, asGiven }
}
