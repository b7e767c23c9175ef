import { Type } from '@sinclair/typebox'

export const ConsoleSession = Type.Object({
  user_id: Type.Integer(),
  expires_in: Type.Integer({ description: 'Seconds until it has to be renewed' })
}, { $id: 'ConsoleSession' })
