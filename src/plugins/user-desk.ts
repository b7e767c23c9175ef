import fp from 'fastify-plugin'
import { SessionDesk } from '../desk/session-desk.js'
import { UserDesk } from '../desk/user-desk.js'
import { orderEventsOf, ordersOf, outboxOf } from '../store/personal-data.js'
import { eraseUser, findCredentials, findOwnCredentials, findSession, findUser, insertUser, listUsers, updatePassword, updateUser, wasUser } from '../store/users.js'
import type { PersonChange, Registration } from '../users/user.js'
import { ProblemError } from './errors.js'

declare module 'fastify' {
  interface FastifyInstance {
    userDesk: UserDesk
    sessionDesk: SessionDesk
  }
}

export const userDeskPlugin = fp(async (app) => {
  const { passwords, revocations } = app
  const { pool } = app.pg
  app.decorate('userDesk', new UserDesk({
    passwords,
    revocations,
    users: {
      insert: async (person: Registration) => await insertUser(pool, person),
      find: async (userId: number) => await findUser(pool, userId),
      list: async (page: { after: number, limit: number }) => await listUsers(pool, page),
      update: async (userId: number, change: PersonChange) => await updateUser(pool, userId, change),
      erase: async (userId: number) => await eraseUser(pool, userId),
      existed: async (userId: number) => await wasUser(pool, userId)
    },
    personalData: {
      pages: (userId: number) => ({ outbox: outboxOf(pool, userId), order_events: orderEventsOf(pool, userId), orders: ordersOf(pool, userId) })
    }
  }))
  app.decorate('sessionDesk', new SessionDesk({
    passwords,
    revocations,
    credentials: {
      ofName: async (nickName: string) => await findCredentials(pool, nickName),
      ofUser: async (userId: number) => await findOwnCredentials(pool, userId),
      session: async (userId: number) => {
        // Known to be away it is not waited for: whoever is at work renews by the marks.
        if (app.health.state('postgres') === 'down') throw new ProblemError('unavailable')
        return await findSession(pool, userId)
      },
      replace: async (userId: number, hashes: { old: string, new: string }) => await updatePassword(pool, userId, hashes)
    }
  }))
}, { name: 'user-desk', dependencies: ['health', 'errors', 'postgres', 'passwords', 'revocations'] })
