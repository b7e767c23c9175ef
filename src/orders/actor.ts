import type { Caller, Role } from '../users/roles.js'

/** Who made a change, as it stands in events, the timeline and the log: `user:<user_id>` for a customer, `operator:<user_id>`. */
export type Actor = string

/** Other kinds are let through: a newer api may know more. */
export const ACTOR = '^[a-z]{1,16}:[\\w-]{1,64}$'

const PERSON = /^(user|operator):([1-9]\d{0,9})$/

export function actorOf ({ user_id, role }: Caller): Actor {
  return `${role === 'operator' ? 'operator' : 'user'}:${user_id}`
}

/** null for an actor that is no person, and for the events of releases that named none. */
export function personOf (actor: Actor | undefined): Caller | null {
  const [, kind, id] = PERSON.exec(actor ?? '') ?? []
  if (kind === undefined) return null
  const role: Role = kind === 'operator' ? 'operator' : 'customer'
  return { user_id: Number(id), role }
}
