import type { Mac } from '../secrets/mac.js'

/** The header of a message that proves who published it. */
export const SIGNATURE = 'comanda-signature'
/** Whoever changes how it is made gives it another number. */
const FORM = 'v1='

/** The header's value, over the bytes of the whole message: one code a message, however many events it holds. */
export function signatureOf (mac: Mac, content: Buffer): string {
  return FORM + mac.sign(content)
}

/** Whether one who has a key published these very bytes. */
export function isSigned (mac: Mac, content: Buffer, headers: Record<string, unknown> | undefined): boolean {
  const signature = headers?.[SIGNATURE]
  return typeof signature === 'string' && signature.startsWith(FORM) && mac.verifies(content, signature.slice(FORM.length))
}
