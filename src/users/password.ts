import type { Registration } from './user.js'

/** NIST SP 800-63B, section 5.1.1.2: length, no common ones, none of one's own words, and no rules of composition. */
export const SHORTEST_PASSWORD = 8
export const LONGEST_PASSWORD = 128

/** What looks the same is the same, whatever keyboard it comes from. */
export function canonicalPassword (password: string): string {
  return password.normalize('NFC')
}

/** Whose password it is to be. */
export type OwnWords = Pick<Registration, 'nick_name' | 'full_name' | 'cpf' | 'email' | 'phone_number'>

const PRODUCT = 'comanda'
/** A shorter word is in too many others. */
const SHORTEST_WORD = 3

/** Why a password is not taken, in the words of its user; null: it is, unless it is a common one. @param password in its canonical form */
export function passwordFault (password: string, own: OwnWords): string | null {
  const characters = [...password]
  if (characters.length < SHORTEST_PASSWORD) return `must have at least ${SHORTEST_PASSWORD} characters in Unicode NFC`
  if (characters.length > LONGEST_PASSWORD) return `must have at most ${LONGEST_PASSWORD} characters in Unicode NFC`
  if (new Set(folded(password).replace(/\s/gu, ' ')).size <= 1) return 'must not be one character repeated'
  const rest = ownWords(own).reduce((left, word) => left.replaceAll(word, ''), withPlainCpf(folded(password), own.cpf))
  if ([...rest].length < SHORTEST_PASSWORD) return `must have ${SHORTEST_PASSWORD} characters besides your own name, CPF, e-mail address and telephone number and the name of this service`
  return null
}

/** What nobody sees: of formats, and what is drawn as nothing. */
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu

/** As it is looked for among common ones: what looks much the same to who types it, and to who guesses. */
export function folded (text: string): string {
  return text.replace(INVISIBLE, '').normalize('NFKC').toLowerCase().trim()
}

/** Its digits may stand apart: 529.982.247-25. */
function withPlainCpf (text: string, cpf: string): string {
  return text.replace(new RegExp([...cpf].join('[\\s.\\-/]*'), 'g'), cpf)
}

function ownWords ({ nick_name, full_name, cpf, email, phone_number }: OwnWords): string[] {
  const [mailbox = ''] = email.split('@', 1)
  const words = [nick_name, full_name, ...full_name.split(/\s+/u), cpf, email, mailbox, phone_number, phone_number.replace(/\D/g, ''), PRODUCT]
  // The longest first: a part taken out would leave the rest of the whole.
  return words.map(folded).filter((word) => [...word].length >= SHORTEST_WORD).sort((a, b) => b.length - a.length)
}
