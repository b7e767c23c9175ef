import { setTimeout as wait } from 'node:timers/promises'
import fp from 'fastify-plugin'
import { LoginAttempts } from '../usecases/login-attempts.js'

declare module 'fastify' {
  interface FastifyInstance {
    loginAttempts: LoginAttempts
    /** Stands for a name or an address in counts and log lines: 22 characters. */
    pseudonymOf (kind: 'nick_name' | 'address', value: string): string
  }
}

export const loginAttemptsPlugin = fp(async (app) => {
  const pseudonymOf = (kind: 'nick_name' | 'address', value: string) => app.pseudonyms.of(kind, value).toString('base64url', 0, 16)
  const loginAttempts = new LoginAttempts({ counts: app.counts, limit: app.config.loginLimit, pseudonym: pseudonymOf, wait })
  app.decorate('pseudonymOf', pseudonymOf)
  app.decorate('loginAttempts', loginAttempts)
  app.metrics?.counter('comanda_logins_failed_total', 'Logins that failed, or were refused unchecked because too many had', () =>
    Object.entries(loginAttempts.failed).map(([reason, value]) => ({ labels: { reason }, value })))
}, { name: 'login-attempts', dependencies: ['config', 'pseudonyms', 'metrics', 'redis'] })
