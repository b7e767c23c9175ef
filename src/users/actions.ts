import type { Caller, Role } from './roles.js'

/** Every word of the table `actions`: stable for ever. docs/actions.md gives the meaning. */
export const ACTIONS = [
  'user.read',
  'user.changed',
  'user.erased',
  'user.password_changed',
  'user.promoted',
  'user.demoted',
  'users.listed',
  'orders.listed_of_user',
  'sessions.ended',
  'parked.replayed',
  'parked.discarded',
  'job.created',
  'job.cancelled',
  'orders.expired',
  'feed.rewound',
  'webhook.created',
  'webhook.changed',
  'webhook.removed',
  'webhook.secret_rotated',
  'webhook.tested',
  'webhook.replayed'
] as const
export type ActionName = typeof ACTIONS[number]

/** By which way in; `rule`: by itself, because it was set so. */
export const WAYS = ['api', 'cli', 'console', 'rule'] as const
export type Way = typeof WAYS[number]

export const TARGET_KINDS = ['user', 'parked_event', 'feed_cursor', 'webhook', 'job', 'sweep'] as const
export type TargetKind = typeof TARGET_KINDS[number]

/** A request of a person who is logged in, by the id that this service gave it. */
export interface Requester extends Caller {
  request_id: string
  /** Missing: by a token, `api`. */
  way?: 'api' | 'console'
}

export interface Actor {
  /** `user:<user_id>`, `operator:<user_id>`, `cli:<name of the system's user>`, or `rule:<name>` */
  actor: string
  /** null: a command line has none */
  role: Role | null
  way: Way
  /** null: it was no request */
  request_id: string | null
}

/** Who did what to what: ids and words, never a value of a person. */
export interface Action extends Actor {
  action: ActionName
  target_kind: TargetKind
  /** Of a list `<first>-<last>`, as shown. */
  target_id: string
}

export function actorOf ({ user_id, role, request_id, way = 'api' }: Requester): Actor {
  return { actor: `${role === 'operator' ? 'operator' : 'user'}:${user_id}`, role, way, request_id }
}

/** Whoever may run commands: known by the name that the system, or they, give. */
export function commandLine (name: string): Actor {
  // What else a name may hold, a terminal would interpret.
  return { actor: `cli:${name.replace(/[^\p{L}\p{N}._@\\ -]/gu, '?').slice(0, 64)}`, role: null, way: 'cli', request_id: null }
}

export function actionOnUser (actor: Actor, action: ActionName, userId: number): Action {
  return { ...actor, action, target_kind: 'user', target_id: String(userId) }
}

export function actionOnWebhook (actor: Actor, action: ActionName, webhookId: string): Action {
  return { ...actor, action, target_kind: 'webhook', target_id: webhookId }
}
