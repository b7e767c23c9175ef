import fp from 'fastify-plugin'
import { Semaphore } from '../auth/semaphore.js'
import { recordAction } from '../store/actions.js'
import { orderEventsOf, ordersOf, fallbackQueueOf, parkedEventsOf, webhooksOf } from '../store/personal-data.js'
import { changeRoleFor, changeUserFor, endSessionsFor, eraseUserFor, updatePasswordFor } from '../store/user-changes.js'
import { findCredentials, findOwnCredentials, findSession, findUser, insertUser, listUsers, rehashPassword, wasUser } from '../store/users.js'
import { UserAccounts } from '../usecases/user-accounts.js'
import { UserSessions } from '../usecases/user-sessions.js'
import { type Action, actorOf, type Requester } from '../users/actions.js'
import type { Session } from '../users/session.js'
import type { PersonChange, Registration } from '../users/user.js'

declare module 'fastify' {
  interface FastifyInstance {
    userAccounts: UserAccounts
    userSessions: UserSessions
  }
}

/** A flood of logins must not take every connection: the password's own line would come too late. */
const LOOK_UPS_AT_ONCE = 4
const MOST_WAITING = 64

export const userUseCasesPlugin = fp(async (app) => {
  const { passwords, pseudonyms, revocations } = app
  const users = {
    insert: async (person: Registration) => await insertUser(app.requestPool(), pseudonyms, person),
    find: async (userId: number) => await findUser(app.requestPool(), userId),
    list: async (page: { after: number, limit: number, nick_name?: string | undefined }) => await listUsers(app.requestPool(), page),
    update: async (userId: number, change: PersonChange, by: Requester) => await changeUserFor(app.requestPool(), pseudonyms, userId, change, by),
    erase: async (userId: number, by: Requester) => await eraseUserFor(app.requestPool(), pseudonyms, userId, by),
    promote: async (userId: number, by: Requester) => await changeRoleFor(app.requestPool(), userId, 'operator', actorOf(by)),
    existed: async (userId: number) => await wasUser(app.requestPool(), userId)
  }
  const lookUps = new Semaphore(LOOK_UPS_AT_ONCE, MOST_WAITING)
  const credentials = {
    ofName: async (nickName: string, from?: string) => await lookUps.run(async () => await findCredentials(app.requestPool(), nickName), from),
    ofUser: async (userId: number) => await findOwnCredentials(app.requestPool(), userId),
    // Known to be away it is not waited for: a user at work renews by the marks.
    session: async (userId: number) => await findSession(app.requestPool(), userId),
    replace: async (userId: number, hashes: { old: string, new: string }, by: Requester) => await updatePasswordFor(app.requestPool(), userId, hashes, by),
    endSessions: async (session: Pick<Session, 'user_id' | 'epoch'>, by: Requester) => await endSessionsFor(app.requestPool(), session, actorOf(by)),
    rehash: async (userId: number, hashes: { old: string, new: string }) => await rehashPassword(app.requestPool(), userId, hashes)
  }
  app.decorate('userAccounts', new UserAccounts({
    passwords,
    revocations,
    credentials,
    actions: { record: async (action: Action) => await recordAction(app.requestPool(), action) },
    users,
    personalData: {
      pages: (userId: number) => ({ outbox: fallbackQueueOf(app.pg.pool, userId), parked_events: parkedEventsOf(app.pg.pool, userId), order_events: orderEventsOf(app.pg.pool, userId), orders: ordersOf(app.pg.pool, userId), webhooks: webhooksOf(app.pg.pool, userId) })
    }
  }))
  app.decorate('userSessions', new UserSessions({ passwords, revocations, credentials, users }))
}, { name: 'user-usecases', dependencies: ['postgres', 'passwords', 'pseudonyms', 'revocations'] })
