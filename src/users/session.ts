import type { Role } from './roles.js'

/** Who is logged in, and in which epoch of their sessions: whatever ends a user's sessions begins the next epoch. */
export interface Session {
  user_id: number
  role: Role
  epoch: number
}

/** How long a session lasts from its login, however often its token is renewed. Stated here and nowhere else. */
export const SESSION_HOURS = 12
export const SESSION_S = SESSION_HOURS * 3600
