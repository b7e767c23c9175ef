import type { ErrorObject } from 'ajv'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { inputError, InputError, validatorCompiler } from '../http/validation.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * For a body that is a list, on a route with `attachValidation`: the faults of single items, by index.
     * @throws InputError when the list itself is at fault
     */
    itemFaults (request: FastifyRequest): Map<number, InputError>
  }
}

export const validationPlugin = fp(async (app) => {
  const compile = validatorCompiler()
  app.setValidatorCompiler(({ schema, httpPart = '' }) => compile(schema, httpPart))
  app.setSchemaErrorFormatter((errors, part) => inputError(errors as ErrorObject[], part))
  app.decorate('itemFaults', ({ validationError }: FastifyRequest) => {
    const items = new Map<number, InputError>()
    if (!validationError) return items
    if (!(validationError instanceof InputError)) throw validationError
    for (const fault of validationError.faults) {
      const index = /^#\/(\d+)/.exec(fault.pointer)?.[1]
      if (index === undefined) throw validationError
      const known = items.get(Number(index))?.faults ?? []
      items.set(Number(index), new InputError([...known, fault]))
    }
    return items
  })
}, { name: 'validation' })
