import fp from 'fastify-plugin'
import { orderEventsOf, ordersOf, fallbackQueueOf, parkedEventsOf } from '../store/personal-data.js'
import { eraseUser, findCredentials, findOwnCredentials, findSession, findUser, insertUser, listUsers, updatePassword, updateUser, wasUser } from '../store/users.js'
import { UserAccounts } from '../usecases/user-accounts.js'
import { UserSessions } from '../usecases/user-sessions.js'
import type { PersonChange, Registration } from '../users/user.js'

declare module 'fastify' {
  interface FastifyInstance {
    userAccounts: UserAccounts
    userSessions: UserSessions
  }
}

export const userUseCasesPlugin = fp(async (app) => {
  const { passwords, pseudonyms, revocations } = app
  app.decorate('userAccounts', new UserAccounts({
    passwords,
    revocations,
    users: {
      insert: async (person: Registration) => await insertUser(app.requestPool(), pseudonyms, person),
      find: async (userId: number) => await findUser(app.requestPool(), userId),
      list: async (page: { after: number, limit: number }) => await listUsers(app.requestPool(), page),
      update: async (userId: number, change: PersonChange) => await updateUser(app.requestPool(), pseudonyms, userId, change),
      erase: async (userId: number) => await eraseUser(app.requestPool(), pseudonyms, userId),
      existed: async (userId: number) => await wasUser(app.requestPool(), userId)
    },
    personalData: {
      pages: (userId: number) => ({ outbox: fallbackQueueOf(app.pg.pool, userId), parked_events: parkedEventsOf(app.pg.pool, userId), order_events: orderEventsOf(app.pg.pool, userId), orders: ordersOf(app.pg.pool, userId) })
    }
  }))
  app.decorate('userSessions', new UserSessions({
    passwords,
    revocations,
    credentials: {
      ofName: async (nickName: string) => await findCredentials(app.requestPool(), nickName),
      ofUser: async (userId: number) => await findOwnCredentials(app.requestPool(), userId),
      // Known to be away it is not waited for: a user at work renews by the marks.
      session: async (userId: number) => await findSession(app.requestPool(), userId),
      replace: async (userId: number, hashes: { old: string, new: string }) => await updatePassword(app.requestPool(), userId, hashes)
    }
  }))
}, { name: 'user-usecases', dependencies: ['postgres', 'passwords', 'pseudonyms', 'revocations'] })
