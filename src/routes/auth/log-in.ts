import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { IssuedToken } from '../../auth/tokens.js'
import { logLine } from '../../logs/log-line.js'
import type { Attempt } from '../../usecases/login-attempts.js'
import { UserError } from '../../users/errors.js'
import type { Session } from '../../users/session.js'
import { canonicalName } from '../../users/user.js'
import type { LoginBody } from '../users/schemas.js'

/**
 * A session for a name and its password; failures are counted and logged, whichever way in it is.
 * @param whose what else must hold of it @throws UserError `wrong_credentials`, `too_many_requests`; what `whose` throws
 */
export async function logIn (app: FastifyInstance, request: FastifyRequest, { nick_name: nickName, password }: LoginBody, whose: (session: Session) => void = () => {}): Promise<{ session: Session, token: IssuedToken }> {
  const attempt = { nickName, address: app.networkOf(request) }
  const session = await app.loginAttempts.guard(attempt, async () => await app.userSessions.login(nickName, password, attempt.address)).catch((error: Error) => {
    logFailure(app, request, attempt, error)
    throw error
  })
  whose(session)
  return { session, token: app.issueToken({ ...session, since: Math.floor(Date.now() / 1000) }) }
}

/** Who was tried from where, as pseudonyms: a reader can tell one attacker from many, and name none. */
function logFailure (app: FastifyInstance, request: Pick<FastifyRequest, 'log'>, { nickName, address }: Attempt, error: Error): void {
  if (!(error instanceof UserError)) return
  const [name_hash, address_hash] = [app.pseudonymOf('nick_name', canonicalName(nickName)), app.pseudonymOf('address', address)]
  logLine(request.log, { event: 'login_failed', name_hash, address_hash, reason: error.code })
}
