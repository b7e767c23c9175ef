import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { InputError } from '../http/input-faults.js'
import { validatorCompiler } from '../http/validation.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * For a body that is a list, on a route with `attachValidation`: the faults of single items, by index.
     * @throws InputError when the list itself is at fault
     */
    itemFaults (request: FastifyRequest): ReadonlyMap<number, InputError>
  }
}

export const validationPlugin = fp(async (app) => {
  const compile = validatorCompiler()
  app.setValidatorCompiler(({ schema, httpPart = '' }) => compile(schema, httpPart))
  app.decorate('itemFaults', ({ validationError }: FastifyRequest) => {
    if (!validationError) return new Map<number, InputError>()
    if (validationError instanceof InputError && validationError.items) return validationError.items
    throw validationError
  })
}, { name: 'validation' })
