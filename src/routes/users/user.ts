import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import { InputError } from '../../http/input-faults.js'
import { needsPassword } from '../../usecases/user-accounts.js'
import { isAboutCaller, logTarget, OWN_PASSWORD } from './request.js'
import { ErasureBody, PersonChangeBody, UserParams, UserResponse } from './schemas.js'

/** One person: for that user and for operators. To any other caller there is no such user. */
export const oneUserRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const byUser = (request: FastifyRequest): string => String(app.callerOf(request).user_id)
  const limitGuesses = app.limitBy(byUser, OWN_PASSWORD)
  app.addHook('onRequest', app.authenticate)
  app.addHook('preHandler', logTarget)
  app.addHook('onSend', async (_request, reply) => { reply.header('cache-control', 'no-store') })

  app.get('/users/:user_id', {
    config: { problems: ['user_not_found'] },
    schema: { tags: ['users'], operationId: 'getUser', summary: 'Read one user', description: 'For the user and for operators.', params: UserParams, response: { 200: UserResponse } }
  }, async (request) => await app.userAccounts.find(request.params.user_id, app.requesterOf(request)))

  app.patch('/users/:user_id', {
    // Limited as registrations are, and by user too: a refusal tells that a name or a CPF is known here, or that a password is not right.
    preHandler: [app.limitBy(byUser), async (request, reply) => {
      const { password, ...change } = request.body as PersonChangeBody
      if (isAboutCaller(request) && needsPassword(change)) checkGiven(password)
      if (password !== undefined) await limitGuesses(request, reply)
    }],
    config: { rateLimit: { max: app.config.loginLimit, timeWindow: '1 minute' }, problems: ['user_not_found', 'account_taken', 'operator_account', 'wrong_password', 'busy'] },
    schema: {
      tags: ['users'],
      operationId: 'changeUser',
      summary: 'Change a user',
      description: 'For the user and for operators; operators change customers and themselves only. Members left out stay unchanged; a change that changes nothing returns the user as it is. Users who change their own nick_name, CPF or e-mail address give their current password as well.',
      params: UserParams,
      body: PersonChangeBody,
      response: { 200: UserResponse }
    }
  }, async (request) => await app.userAccounts.change(request.params.user_id, request.body, app.requesterOf(request)))

  app.delete('/users/:user_id', {
    config: { problems: ['user_not_found', 'operator_account', 'wrong_password', 'too_many_requests', 'busy'] },
    preHandler: async (request, reply) => {
      if (!isAboutCaller(request)) return
      checkGiven(request.body?.password)
      await limitGuesses(request, reply)
    },
    schema: {
      tags: ['users'],
      operationId: 'eraseUser',
      summary: 'Erase a user',
      description: 'For the user, who gives the current password in the body, and for operators, who send no body and erase customers only. The personal data is permanently erased and every session ends; the orders remain. The nick_name is never available again.',
      params: UserParams,
      body: ErasureBody,
      response: { 204: Type.Null({ description: 'Erased, now or earlier' }) }
    }
  }, async (request, reply) => {
    await app.userAccounts.erase(request.params.user_id, request.body?.password, app.requesterOf(request))
    return await reply.code(204).send(null)
  })
}

/** @throws InputError where one's own password is missing */
function checkGiven (password: string | undefined): void {
  if (password === undefined) throw new InputError([{ pointer: '#/password', detail: 'is missing: your current password' }], 0)
}
