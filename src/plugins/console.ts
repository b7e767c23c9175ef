import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import fp from 'fastify-plugin'
import { logLine } from '../logs/log-line.js'

/** Where `npm run build` puts it: beside the built service, and beside what runs from a checkout. */
const PAGES = fileURLToPath(new URL('../../dist/console/', import.meta.url))

/** Nothing is loaded from elsewhere, nothing inline is run, and no page shows this one in a frame. */
const POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self'", "base-uri 'self'", "form-action 'self'", "frame-ancestors 'none'"
].join('; ')

/** Named by their contents: they never change. */
const HASHED = /-[0-9A-Z]{8}\.\w+$/

/** The operators' page at /console/, files and no more: what it shows it asks of the routes as its operator. */
export const consolePlugin = fp(async (app) => {
  if (!app.config.console) return
  if (!existsSync(PAGES)) {
    logLine(app.log, { event: 'console_missing', reason: 'not built' })
    return
  }
  await app.register(fastifyStatic, {
    root: PAGES,
    prefix: '/console/',
    wildcard: false,
    cacheControl: false,
    setHeaders: (reply, path) => {
      reply.header('content-security-policy', POLICY)
      reply.header('referrer-policy', 'no-referrer')
      reply.header('cache-control', HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache')
    }
  })
  // Relative, as everything that the page asks for: a proxy may serve it under any path.
  app.get('/console', { schema: { hide: true } }, async (_request, reply) => await reply.redirect('console/'))
}, { name: 'console', dependencies: ['config', 'http'] })
