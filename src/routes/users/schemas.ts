import { type Static, Type } from '@sinclair/typebox'
import { DISTINCT_NAME, STORABLE, VISIBLE_NAME } from '../../http/text-patterns.js'
import { ROLES } from '../../users/roles.js'

/** Only the bounds that limit the work of hashing: a login is not told which rule its password breaks. */
const given = { minLength: 1, maxLength: 128, pattern: STORABLE }

const NickName = Type.String({ minLength: 1, maxLength: 50, format: 'nick-name', pattern: DISTINCT_NAME, description: 'Unique; 1 to 50 characters in Unicode NFC, all of them visible: no white space, no format, filler or unassigned characters', examples: ['ana'] })
const Password = Type.String({ minLength: 8, maxLength: 128, pattern: STORABLE, description: '8 to 128 characters in Unicode NFC, any of them; not a common password, not one character repeated, not made of one\'s own data', examples: ['correct horse battery'] })

const person = {
  full_name: Type.String({ minLength: 1, maxLength: 50, pattern: VISIBLE_NAME, description: '1 to 50 characters, at least one of them visible; no format, filler or unassigned characters but joiners and variation selectors', examples: ['Ana Conceição'] }),
  cpf: Type.String({ format: 'cpf', description: '11 digits without punctuation, with valid check digits', examples: ['52998224725'] }),
  email: Type.String({ format: 'email', maxLength: 50, description: 'An e-mail address of at most 50 characters', examples: ['ana@example.com'] }),
  phone_number: Type.String({ pattern: '^\\+?[0-9][0-9 ()-]{6,23}$', description: 'Digits, spaces, brackets and hyphens, 7 to 25 characters', examples: ['+55 11 91234-5678'] })
}

export const RegistrationBody = Type.Object({ nick_name: NickName, password: Password, ...person }, { $id: 'Registration', additionalProperties: false })

const CurrentPassword = Type.String({ ...given, description: 'The current password', examples: ['correct horse battery'] })

export const PersonChangeBody = Type.Partial(Type.Object({ nick_name: NickName, ...person, password: CurrentPassword }), {
  $id: 'PersonChange', additionalProperties: false, minProperties: 1, description: 'At least one of these members; those left out stay unchanged. `password` is the current one, needed by users who change their own `cpf` or `email`'
})

export const ErasureBody = Type.Union([Type.Object({ password: CurrentPassword }, {
  $id: 'Erasure', additionalProperties: false, description: 'Users who erase themselves give their current password; operators need no body'
}), Type.Null()])

export const PasswordBody = Type.Object({
  password: CurrentPassword,
  new_password: Password
}, { $id: 'PasswordChange', additionalProperties: false })

export const RoleBody = Type.Object({
  role: Type.Literal('operator', { description: 'Operators are made customers on the command line only' }),
  password: Type.String({ ...given, description: "The caller's own current password", examples: ['correct horse battery'] })
}, { $id: 'RoleChange', additionalProperties: false })

export const UserParams = Type.Object({
  user_id: Type.String({ pattern: '^(me|[1-9][0-9]{0,9})$', description: 'A user_id, or `me` for the caller\'s own', examples: ['me'] })
})

export const UserQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'Maximum number of users per page' }),
  cursor: Type.Optional(Type.String({ maxLength: 200, description: '`next_cursor` of the previous page' })),
  nick_name: Type.Optional(Type.String({ minLength: 1, maxLength: 50, pattern: STORABLE, description: 'Only the user of exactly this name' }))
}, { additionalProperties: false })

const Timestamp = Type.String({ format: 'date-time', examples: ['2026-11-23T12:00:00.000Z'] })

export const UserResponse = Type.Object({
  user_id: Type.Integer({ examples: [1] }),
  nick_name: Type.String({ examples: ['ana'] }),
  full_name: Type.String({ examples: ['Ana Conceição'] }),
  cpf: Type.String({ examples: ['52998224725'] }),
  email: Type.String({ examples: ['ana@example.com'] }),
  phone_number: Type.String({ examples: ['+55 11 91234-5678'] }),
  role: Type.Unsafe<typeof ROLES[number]>({ type: 'string', enum: [...ROLES], description: 'Operators see and move the orders of all users' }),
  created_at: Timestamp,
  updated_at: Timestamp
}, { $id: 'User' })

export const ListedUser = Type.Object({
  ...UserResponse.properties,
  cpf: Type.String({ description: 'Masked: six of the eleven digits. GET /users/{user_id} gives the whole', examples: ['***.982.247-**'] })
}, { $id: 'ListedUser' })

export const UserPage = Type.Object({
  items: Type.Array(ListedUser),
  next_cursor: Type.Union([Type.String(), Type.Null()], { description: 'Pass it as `cursor` to get the next page; null on the last page' })
}, { $id: 'UserPage' })

const held = (description: string) => Type.Array(Type.Object({}, { additionalProperties: true }), { description })

export const PersonalData = Type.Object({
  exported_at: Timestamp,
  user: UserResponse,
  outbox: held('Events in the fallback queue: accepted and not yet applied; `event` is a CloudEvent'),
  parked_events: held('Events in the parking lot: they could not be applied; `event` is the CloudEvent as it came'),
  order_events: held('What happened to each order: when, by which request, and whether it was applied'),
  orders: held('Every persisted order, newest first'),
  webhooks: held('Where this user is called when something happens')
}, { $id: 'PersonalData' })

export const LoginBody = Type.Object({
  nick_name: Type.String({ minLength: 1, maxLength: 50, pattern: STORABLE, examples: ['ana'] }),
  password: Type.String({ ...given, examples: ['correct horse battery'] })
}, { $id: 'Login', additionalProperties: false })

export const TokenResponse = Type.Object({
  access_token: Type.String({ description: 'JWT; send it as `Authorization: Bearer ...`' }),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds', examples: [900] })
}, { $id: 'Token' })

export type PersonChangeBody = Static<typeof PersonChangeBody>
export type RegistrationBody = Static<typeof RegistrationBody>
export type LoginBody = Static<typeof LoginBody>
