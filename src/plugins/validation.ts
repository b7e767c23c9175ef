import { Ajv, type ErrorObject, type Options } from 'ajv'
import addFormats from 'ajv-formats'
import fp from 'fastify-plugin'
import { isCpf } from '../users/cpf.js'
import { type InputFault } from './problems.js'

/** The request breaks its schema; every fault is listed. */
export class InputError extends Error {
  override readonly name = 'InputError'
  readonly statusCode = 400
  readonly faults: InputFault[]

  constructor (faults: InputFault[]) {
    super('the request breaks its schema')
    this.faults = faults
  }
}

/**
 * Fastify's own defaults drop unknown fields and change types silently: here bodies are taken as they are or refused.
 * Only the text of queries, parameters and headers is turned into the numbers their schemas name.
 */
export const validationPlugin = fp(async (app) => {
  const options: Options = { allErrors: true, verbose: true, removeAdditional: false, useDefaults: true }
  const strict = compiler({ ...options, coerceTypes: false })
  const coercing = compiler({ ...options, coerceTypes: true })
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? strict : coercing).compile(schema))
  app.setSchemaErrorFormatter((errors, part) => new InputError((errors as ErrorObject[]).map((error) => inputFault(error, part))))
}, { name: 'validation' })

function compiler (options: Options): Ajv {
  const ajv = new Ajv(options)
  addFormats.default(ajv)
  return ajv.addFormat('cpf', { type: 'string', validate: isCpf })
}

function inputFault (error: ErrorObject, part: string): InputFault {
  const { instancePath, params } = error
  const member: unknown = params.additionalProperty ?? params.missingProperty
  const pointer = `${part === 'body' ? '' : part}#${instancePath}${typeof member === 'string' ? `/${escapePointer(member)}` : ''}`
  return { pointer, detail: DETAILS[error.keyword]?.(error) ?? error.message ?? 'is not valid' }
}

/** Where Ajv's own words would not help: a pattern says nothing to a reader, its description does. */
const DETAILS: Record<string, (error: ErrorObject) => string> = {
  additionalProperties: () => 'is not known here',
  required: () => 'is missing',
  enum: ({ params }) => `must be one of ${(params.allowedValues as unknown[]).join(', ')}`,
  pattern: ({ parentSchema }) => described(parentSchema, 'text'),
  format: ({ parentSchema, params }) => described(parentSchema, String(params.format))
}

function described (schema: ErrorObject['parentSchema'], otherwise: string): string {
  return typeof schema?.description === 'string' ? `must be: ${schema.description}` : `must be a valid ${otherwise}`
}

/** RFC 6901, section 3. */
function escapePointer (member: string): string {
  return member.replaceAll('~', '~0').replaceAll('/', '~1')
}
