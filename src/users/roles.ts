export const ROLES = ['customer', 'operator'] as const
export type Role = typeof ROLES[number]
