import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/** What a sealed value belongs to: moved to another place it cannot be opened. */
export interface SealedPlace { table: string, column: string, row: string }

/** The value waits until that key is given; nothing of it is lost. */
export class KeyMissing extends Error {
  override readonly name = 'KeyMissing'
  readonly keyId: string

  constructor (keyId: string) {
    super(`DATA_KEYS holds no key ${keyId}`)
    this.keyId = keyId
  }
}

/** The key of that id is another, or the value is no longer what was stored, or not where. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
  readonly keyId: string

  constructor (keyId: string) {
    super(`a value sealed by key ${keyId} cannot be opened by it`)
    this.keyId = keyId
  }
}

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const FORM = 'v1'

/** `<id>:<32 bytes in base64>`, comma separated. */
export const DATA_KEYS_PATTERN = '^[a-z0-9_-]{1,16}:[A-Za-z0-9+/]{43}=(,[a-z0-9_-]{1,16}:[A-Za-z0-9+/]{43}=)*$'

/** Stands for a key outside production, and protects nothing. */
export const PUBLISHED_DATA_KEY = `published:${Buffer.from('published: for development only.').toString('base64')}`

/** Ids that stand there twice: which key is meant cannot be told. */
export function repeatedKeyIds (text: string): string[] {
  const ids = text.split(',').map((key) => key.split(':')[0]!)
  return ids.filter((id, at) => ids.indexOf(id) !== at)
}

/**
 * Values as the database holds them: AES-256-GCM (NIST SP 800-38D) with a random nonce, bound to table, column and row. The first
 * key seals, all open.
 */
export class Keyring {
  readonly #keys: ReadonlyMap<string, Buffer>
  readonly #first: string

  /** @param text as DATA_KEYS is given */
  constructor (text: string) {
    const keys = text.split(',').map((key) => key.split(':') as [id: string, base64: string])
    this.#keys = new Map(keys.map(([id, base64]) => [id, Buffer.from(base64, 'base64')]))
    this.#first = keys[0]![0]
  }

  /** `v1.<key id>.<base64url of nonce, ciphertext, tag>` */
  seal (text: string, place: SealedPlace): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(ALGORITHM, this.#keys.get(this.#first)!, nonce, { authTagLength: TAG_BYTES }).setAAD(boundTo(place))
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return `${FORM}.${this.#first}.${sealed.toString('base64url')}`
  }

  /** @throws KeyMissing Unreadable */
  open (sealed: string, place: SealedPlace): string {
    const [form, id = '', base64 = ''] = sealed.split('.')
    const key = this.#keys.get(id)
    if (!key) throw new KeyMissing(id)
    const bytes = Buffer.from(base64, 'base64url')
    if (form !== FORM || bytes.length < NONCE_BYTES + TAG_BYTES) throw new Unreadable(id)
    try {
      const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES }).setAAD(boundTo(place))
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    } catch {
      throw new Unreadable(id)
    }
  }
}

/** Length-safe: no two places have the same bytes. */
function boundTo ({ table, column, row }: SealedPlace): Buffer {
  return Buffer.from(JSON.stringify([table, column, row]))
}
