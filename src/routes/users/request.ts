import type { FastifyRequest } from 'fastify'

/** What guesses at the caller's own password are counted by, whichever way asks for it. */
export const OWN_PASSWORD = 'own_password'

/** Whether the user in the address is the caller. */
export function isAboutCaller ({ params, caller }: FastifyRequest): boolean {
  const { user_id: named } = params as { user_id: string }
  return named === 'me' || Number(named) === caller?.user_id
}

/** A preHandler hook: the request's line names the user whom it is about, if that is not the caller. */
export async function logTarget (request: FastifyRequest): Promise<void> {
  if (isAboutCaller(request)) return
  const { user_id: named } = request.params as { user_id: string }
  request.logged = { ...request.logged, target_user_id: Number(named) }
}
