import { availableParallelism } from 'node:os'
import { hash, parseOptions, verify } from '@node-rs/argon2'
import fp from 'fastify-plugin'
import { Semaphore } from '../auth/semaphore.js'
import type { PasswordsPort } from '../usecases/ports.js'
import { folded } from '../users/password.js'

declare module 'fastify' {
  interface FastifyInstance { passwords: PasswordsPort }
}

/** OWASP Password Storage: argon2id (this library's default algorithm) with 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** libuv has four threads: one stays free for name lookups and files. */
const AT_ONCE = Math.min(availableParallelism(), 3)
/** About two seconds' worth. */
const MOST_WAITING = 64

export const passwordsPlugin = fp(async (app) => {
  const nobody = await hash('nobody has this password', COST)
  const semaphore = new Semaphore(AT_ONCE, MOST_WAITING)
  app.decorate('passwords', {
    hash: async (password: string, from?: string) => await semaphore.run(async () => await hash(password, COST), from),
    isCommon: async (password: string) => (await import('../auth/common-passwords.js')).COMMON_PASSWORDS.has(folded(password)),
    needsRehash: (hashed: string) => {
      const { memoryCost, timeCost, parallelism } = parseOptions(hashed)
      return memoryCost !== COST.memoryCost || timeCost !== COST.timeCost || parallelism !== COST.parallelism
    },
    check: async (hashed: string | null, password: string, from?: string) => await semaphore.run(async () => await verify(hashed ?? nobody, password), from) && hashed !== null
  })
}, { name: 'passwords' })
