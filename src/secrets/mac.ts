import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'

/** What a code is made for: a code of one purpose proves nothing for another. */
export type MacPurpose = 'order message' | 'order view' | 'idempotency key'

/** Message authentication codes: HMAC-SHA256 (RFC 2104), under keys derived for one purpose (HKDF, RFC 5869). */
export class Mac {
  readonly #keys: readonly KeyObject[]

  /** @param secrets the first signs, all verify; at least one */
  constructor (secrets: readonly string[], purpose: MacPurpose) {
    this.#keys = secrets.map((secret) => createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `comanda ${purpose}`, 32))))
  }

  /** 43 characters of base64url */
  sign (data: string | Buffer): string {
    return this.#codeOf(this.#keys[0]!, data)
  }

  /** Whether it was made over these very bytes, by one who has a key. */
  verifies (data: string | Buffer, code: string): boolean {
    const given = Buffer.from(code)
    return this.#keys.some((key) => {
      const right = Buffer.from(this.#codeOf(key, data))
      return given.length === right.length && timingSafeEqual(given, right)
    })
  }

  #codeOf (key: KeyObject, data: string | Buffer): string {
    return createHmac('sha256', key).update(data).digest('base64url')
  }
}

/** null where no key is given: nothing is signed, and nothing verified. */
export function macFor (secrets: readonly string[], purpose: MacPurpose): Mac | null {
  return secrets.length === 0 ? null : new Mac(secrets, purpose)
}
