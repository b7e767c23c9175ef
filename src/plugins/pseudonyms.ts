import fp from 'fastify-plugin'
import { Pseudonyms } from '../auth/pseudonyms.js'

declare module 'fastify' {
  interface FastifyInstance { pseudonyms: Pseudonyms }
}

export const pseudonymsPlugin = fp(async (app) => {
  const { pseudonymKey } = app.config
  if (pseudonymKey === null) throw new Error('no key to make pseudonyms with')
  app.decorate('pseudonyms', new Pseudonyms(pseudonymKey))
}, { name: 'pseudonyms', dependencies: ['config'] })
