import { hash, verify } from '@node-rs/argon2'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    passwords: {
      /** argon2id in PHC string format */
      hash (password: string): Promise<string>
      /** @param hashed null for an unknown user: the check costs the same time and fails */
      check (hashed: string | null, password: string): Promise<boolean>
    }
  }
}

/** OWASP Password Storage: argon2id (this library's default algorithm) with 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export const passwordsPlugin = fp(async (app) => {
  const nobody = await hash('nobody has this password', COST)
  app.decorate('passwords', {
    hash: async (password: string) => await hash(password, COST),
    check: async (hashed: string | null, password: string) => await verify(hashed ?? nobody, password) && hashed !== null
  })
}, { name: 'passwords' })
