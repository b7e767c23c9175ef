import { type Static, Type } from '@sinclair/typebox'
import { ROLES } from './roles.js'

/** At least one visible character; no U+0000 and no lone surrogate: Postgres stores neither. */
const VISIBLE_TEXT = '^(?=[\\s\\S]*\\S)[^\\u0000\\p{Cs}]*$'

const NickName = Type.String({ minLength: 1, maxLength: 50, format: 'nick-name', pattern: '^[^\\s\\p{Cc}\\p{Cs}]+$', description: 'Unique; 1 to 50 characters in Unicode NFC, no white space', examples: ['ana'] })
const Password = Type.String({ minLength: 8, maxLength: 128, pattern: '^[^\\u0000\\p{Cs}]*$', examples: ['correct horse battery'] })

const person = {
  full_name: Type.String({ minLength: 1, maxLength: 50, pattern: VISIBLE_TEXT, examples: ['Ana Conceição'] }),
  cpf: Type.String({ format: 'cpf', description: '11 digits without punctuation; the check digits must be right', examples: ['52998224725'] }),
  email: Type.String({ format: 'email', maxLength: 50, examples: ['ana@example.com'] }),
  phone_number: Type.String({ pattern: '^\\+?[0-9][0-9 ()-]{6,23}$', description: 'Digits, spaces, brackets and hyphens, 7 to 25 characters', examples: ['+55 11 91234-5678'] })
}

export const RegistrationBody = Type.Object({ nick_name: NickName, password: Password, ...person }, { $id: 'Registration', additionalProperties: false })

export const UserShown = Type.Object({
  user_id: Type.Integer(),
  nick_name: Type.String(),
  full_name: Type.String(),
  cpf: Type.String(),
  email: Type.String(),
  phone_number: Type.String(),
  role: Type.Unsafe<typeof ROLES[number]>({ type: 'string', enum: [...ROLES] }),
  created_at: Type.String({ format: 'date-time' }),
  updated_at: Type.String({ format: 'date-time' })
}, { $id: 'User' })

/** A login is not told which rule its password breaks: only the bounds that keep the hash from being fed without end. */
export const LoginBody = Type.Object({
  nick_name: Type.String({ minLength: 1, maxLength: 50, pattern: '^[^\\u0000\\p{Cs}]*$', examples: ['ana'] }),
  password: Type.String({ minLength: 1, maxLength: 128, pattern: '^[^\\u0000\\p{Cs}]*$', examples: ['correct horse battery'] })
}, { $id: 'Login', additionalProperties: false })

export const TokenShown = Type.Object({
  access_token: Type.String({ description: 'JWT; send it as `Authorization: Bearer ...`' }),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds' })
}, { $id: 'Token' })

export type RegistrationBody = Static<typeof RegistrationBody>
export type LoginBody = Static<typeof LoginBody>
