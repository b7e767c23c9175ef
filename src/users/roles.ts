export const ROLES = ['customer', 'operator'] as const
export type Role = typeof ROLES[number]

/** Who is asking. */
export interface Caller {
  user_id: number
  role: Role
}
