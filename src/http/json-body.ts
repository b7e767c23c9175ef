import { isUtf8 } from 'node:buffer'
import { isTooDeep } from './json-depth.js'
import { ProblemError } from './problems.js'

/** JSON has one encoding: UTF-8 (RFC 8259, section 8.1). */
const CHARSET = /;[ \t]*charset[ \t]*=[ \t]*"?([^";\s]*)/i

/**
 * The text of a JSON body, null where there is none.
 * @throws ProblemError where it says another encoding, or is none in UTF-8: it would be stored with U+FFFD for what was meant
 */
export function jsonText (contentType: string | undefined, bytes: Buffer): string | null {
  const charset = CHARSET.exec(contentType ?? '')?.[1]?.toLowerCase()
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') throw new ProblemError('unsupported_media_type')
  if (bytes.length === 0) return null
  if (!isUtf8(bytes)) throw new ProblemError('bad_request')
  const text = bytes.toString()
  if (isTooDeep(text)) throw new ProblemError('bad_request')
  return text
}
