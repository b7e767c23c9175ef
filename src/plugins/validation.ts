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

function inputFault ({ instancePath, keyword, params, message, parentSchema }: ErrorObject, part: string): InputFault {
  const member: unknown = params.additionalProperty ?? params.missingProperty
  const pointer = `${part === 'body' ? '' : part}#${instancePath}${typeof member === 'string' ? `/${escapePointer(member)}` : ''}`
  if (keyword === 'additionalProperties') return { pointer, detail: 'is not known here' }
  if (keyword === 'required') return { pointer, detail: 'is missing' }
  const rule: unknown = parentSchema?.description
  if (keyword === 'pattern' || keyword === 'format') return { pointer, detail: typeof rule === 'string' ? `must be: ${rule}` : `must be a valid ${String(params.format ?? 'text')}` }
  if (keyword === 'enum') return { pointer, detail: `must be one of ${(params.allowedValues as unknown[]).join(', ')}` }
  return { pointer, detail: message ?? 'is not valid' }
}

/** RFC 6901, section 3. */
function escapePointer (member: string): string {
  return member.replaceAll('~', '~0').replaceAll('/', '~1')
}
