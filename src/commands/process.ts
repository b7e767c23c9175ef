import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'

/** Milliseconds from the signal; Docker and Kubernetes wait 10 and 30 seconds before they kill. */
const GRACE_MS = 4500

/**
 * Listens until a signal or a crash, then closes in order. A second signal or the end of the grace forces the end, with
 * exit code 1: safe by design, whatever was unacked or unconfirmed comes again.
 */
export async function serve (app: FastifyInstance): Promise<void> {
  const { host, port } = app.config
  closeWithGrace({ delay: GRACE_MS, logger: app.log }, async ({ err, signal }) => {
    if (err) app.log.fatal({ err }, 'crashed: closing what can be closed')
    else app.log.info({ signal }, 'closing: what is under way is finished first')
    await app.close()
    app.log.info('closed')
  })
  await app.listen({ host, port, listenTextResolver: () => 'listening' })
  const { production, redisPrefix, redisTimeoutMs, confirmTimeoutMs } = app.config
  app.log.info({ addresses: [app.server.address()], config: { production, redisPrefix, redisTimeoutMs, confirmTimeoutMs } }, 'started')
}
