import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import { beyondBounds } from './json-bounds.js'
import { ProblemError } from './problems.js'

/** JSON has one encoding: UTF-8 (RFC 8259, section 8.1). */
const CHARSET = /;[ \t]*charset[ \t]*=[ \t]*"?([^";\s]*)/i
const UTF8 = /^utf-?8$/i
/** Not compressed: what is unpacked here would have no bound. Some take the field for that of the charset. */
const AS_IT_IS = /^[ \t]*(identity|utf-?8)?[ \t]*$/i

/**
 * The text of a JSON body, null where there is none.
 * @throws ProblemError where it says that it is compressed, or in another encoding, or is none in UTF-8: it would be stored with U+FFFD for what was meant
 */
export function jsonText (headers: IncomingHttpHeaders, bytes: Buffer): string | null {
  if (!isPlainUtf8(headers)) throw new ProblemError('unsupported_media_type')
  if (bytes.length === 0) return null
  if (!isUtf8(bytes)) throw new ProblemError('bad_request')
  const text = bytes.toString()
  const beyond = beyondBounds(text)
  if (beyond) throw new ProblemError(beyond === 'too_many' ? 'payload_too_large' : 'bad_request')
  return text
}

function isPlainUtf8 ({ 'content-type': type = '', 'content-encoding': coding = '' }: IncomingHttpHeaders): boolean {
  const [, charset = 'utf-8'] = CHARSET.exec(type) ?? []
  return UTF8.test(charset) && AS_IT_IS.test(coding)
}
