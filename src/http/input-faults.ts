import type { ErrorObject } from 'ajv'
import type { InputFault } from './problems.js'

/** Faults that one answer tells, over all its parts; of the others it tells how many there are. */
export const MOST_FAULTS = 100
/** Of a member's name that a client made up. With it no answer's faults are larger than 64 KiB, whatever was sent. */
const LONGEST_NAME = 64

/** What Ajv finds, as far as it is told. */
export type Failure = Pick<ErrorObject, 'instancePath' | 'keyword'> & Partial<Pick<ErrorObject, 'message' | 'params' | 'parentSchema'>>

/** The request breaks its schema. */
export class InputError extends Error {
  override readonly name = 'InputError'
  readonly statusCode = 400
  readonly faults: readonly InputFault[]
  /** How many more there are than `faults`. */
  readonly omitted: number
  /** Of a list of which single items are at fault: theirs, by index. null: the whole is at fault */
  readonly items: ReadonlyMap<number, InputError> | null

  constructor (faults: readonly InputFault[], omitted: number, items: ReadonlyMap<number, InputError> | null = null) {
    super('the request breaks its schema')
    this.faults = faults
    this.omitted = omitted
    this.items = items
  }
}

export interface Place {
  /** The part of the request. */
  part: string
  /** Where in it the failures' paths begin. */
  at?: string
  /** How many may be told at most. */
  room?: number
}

/** Failures as a client reads them. */
export function inputError (failures: readonly Failure[], { part, at = '', room = MOST_FAULTS }: Place): InputError {
  const faults = failures.slice(0, room).map((failure) => inputFault(failure, `${part === 'body' ? '' : part}#${at}`))
  return new InputError(faults, failures.length - faults.length)
}

export function itemsError (items: ReadonlyMap<number, InputError>): InputError {
  const all = [...items.values()]
  return new InputError(all.flatMap(({ faults }) => faults), all.reduce((sum, { omitted }) => sum + omitted, 0), items)
}

function inputFault (failure: Failure, root: string): InputFault {
  const { instancePath, keyword, params = {}, message = 'is not valid' } = failure
  const member: unknown = params.additionalProperty ?? params.missingProperty
  return {
    pointer: `${root}${instancePath}${typeof member === 'string' ? `/${escapePointer(shortened(member))}` : ''}`,
    detail: DETAILS[keyword]?.(failure) ?? message
  }
}

/** Where Ajv's own words would not help: a pattern says nothing to a reader, its description does. */
const DETAILS: Record<string, (failure: Failure) => string> = {
  additionalProperties: () => 'is not known here',
  required: () => 'is missing',
  enum: ({ params }) => `must be one of ${(params?.allowedValues as unknown[]).join(', ')}`,
  pattern: ({ parentSchema }) => described(parentSchema, 'text'),
  format: ({ parentSchema, params }) => described(parentSchema, String(params?.format))
}

function described (schema: Failure['parentSchema'], otherwise: string): string {
  return typeof schema?.description === 'string' ? `must be: ${schema.description}` : `must be a valid ${otherwise}`
}

/** A pair of surrogates is not cut in two. */
function shortened (member: string): string {
  return member.length <= LONGEST_NAME ? member : `${member.slice(0, LONGEST_NAME).replace(/[\ud800-\udbff]$/, '')}…`
}

/** RFC 6901, section 3. */
export function escapePointer (member: string): string {
  return member.replaceAll('~', '~0').replaceAll('/', '~1')
}
