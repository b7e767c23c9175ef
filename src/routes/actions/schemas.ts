import { Type } from '@sinclair/typebox'
import { ACTIONS, type ActionName, TARGET_KINDS, type TargetKind, type Way, WAYS } from '../../users/actions.js'
import type { Role } from '../../users/roles.js'

const Maybe = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description: string) => Type.Union([schema, Type.Null()], { description })
const Name = Type.Unsafe<ActionName>({ type: 'string', enum: [...ACTIONS] })
const Kind = Type.Unsafe<TargetKind>({ type: 'string', enum: [...TARGET_KINDS] })

export const ActionResponse = Type.Object({
  action_id: Type.Integer({ examples: [17] }),
  done_at: Type.String({ format: 'date-time', description: 'By the clock of the database', examples: ['2026-11-23T12:00:00.000Z'] }),
  actor: Type.String({ description: '`user:<user_id>`, `operator:<user_id>`, `cli:<name>`, `rule:<name>`', examples: ['operator:2'] }),
  role: Maybe(Type.Unsafe<Role>({ type: 'string', enum: ['customer', 'operator'] }), 'null: it was no user'),
  way: Type.Unsafe<Way>({ type: 'string', enum: [...WAYS], description: 'By which way in; `rule`: by itself, because it was set so' }),
  action: Name,
  target_kind: Kind,
  target_id: Type.String({ description: 'Of a list `<first>-<last>`, as shown', examples: ['1'] }),
  request_id: Maybe(Type.String(), 'null: it was no request')
}, { $id: 'Action' })

export const ActionPage = Type.Object({
  items: Type.Array(ActionResponse),
  next_cursor: Type.Union([Type.String(), Type.Null()], { description: 'Pass it as `cursor` to get the next page; null on the last page' })
}, { $id: 'ActionPage' })

export const ActionQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  cursor: Type.Optional(Type.String({ maxLength: 200, description: '`next_cursor` of the previous page' })),
  actor: Type.Optional(Type.String({ pattern: '^(user|operator|cli|rule):[^\\p{C}]{1,64}$', description: 'Exactly this one', examples: ['operator:2'] })),
  action: Type.Optional(Name),
  target_kind: Type.Optional(Kind),
  target_id: Type.Optional(Type.String({ pattern: '^[\\w-]{1,64}$', description: 'Exactly this one' })),
  since: Type.Optional(Type.String({ format: 'date-time', description: 'Done at this moment or later' }))
}, { additionalProperties: false })
