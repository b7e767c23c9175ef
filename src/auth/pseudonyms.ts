import { createHmac } from 'node:crypto'

/** What a value is, so that equal texts of two kinds have two pseudonyms. */
export type PseudonymKind = 'nick_name' | 'cpf' | 'address' | 'login'

/** Stands for a personal value where only its equality matters: whoever has no key cannot even guess at it (HMAC-SHA256, RFC 2104). */
export class Pseudonyms {
  readonly #key: string

  constructor (key: string) {
    this.#key = key
  }

  /** 32 bytes */
  of (kind: PseudonymKind, value: string): Buffer {
    return createHmac('sha256', this.#key).update(`${kind}\0${value}`).digest()
  }
}
