import fp from 'fastify-plugin'
import { SessionDesk } from '../desk/session-desk.js'
import { UserDesk } from '../desk/user-desk.js'
import { orderEventsOf, ordersOf, outboxOf } from '../store/personal-data.js'
import { eraseUser, findCredentials, findOwnCredentials, findSession, findUser, insertUser, listUsers, updatePassword, updateUser, wasUser } from '../store/users.js'
import type { PersonChange, Registration } from '../users/user.js'

declare module 'fastify' {
  interface FastifyInstance {
    userDesk: UserDesk
    sessionDesk: SessionDesk
  }
}

export const userDeskPlugin = fp(async (app) => {
  const { passwords, revocations } = app
  app.decorate('userDesk', new UserDesk({
    passwords,
    revocations,
    users: {
      insert: async (person: Registration) => await insertUser(app.standingPool(), person),
      find: async (userId: number) => await findUser(app.standingPool(), userId),
      list: async (page: { after: number, limit: number }) => await listUsers(app.standingPool(), page),
      update: async (userId: number, change: PersonChange) => await updateUser(app.standingPool(), userId, change),
      erase: async (userId: number) => await eraseUser(app.standingPool(), userId),
      existed: async (userId: number) => await wasUser(app.standingPool(), userId)
    },
    personalData: {
      pages: (userId: number) => ({ outbox: outboxOf(app.pg.pool, userId), order_events: orderEventsOf(app.pg.pool, userId), orders: ordersOf(app.pg.pool, userId) })
    }
  }))
  app.decorate('sessionDesk', new SessionDesk({
    passwords,
    revocations,
    credentials: {
      ofName: async (nickName: string) => await findCredentials(app.standingPool(), nickName),
      ofUser: async (userId: number) => await findOwnCredentials(app.standingPool(), userId),
      // Known to be away it is not waited for: whoever is at work renews by the marks.
      session: async (userId: number) => await findSession(app.standingPool(), userId),
      replace: async (userId: number, hashes: { old: string, new: string }) => await updatePassword(app.standingPool(), userId, hashes)
    }
  }))
}, { name: 'user-desk', dependencies: ['postgres', 'passwords', 'revocations'] })
