import { signal } from '@preact/signals'
import type { ConsoleSession, Problem } from '../clients/typescript/src/types.gen.js'

/** The service is where the page is, under whatever prefix: the page is at `<prefix>/console/`. */
export const base = new URL('..', document.baseURI)

/** An answer that is none: a problem as the service tells it, or no answer at all. */
export class Refused extends Error {
  override readonly name = 'Refused'
  /** null: there was no answer */
  readonly problem: Problem | null

  constructor (problem: Problem | null) {
    super(problem ? `${problem.detail}${faultsOf(problem)}` : 'The service does not answer. It is asked again.')
    this.problem = problem
  }

  get status (): number {
    return this.problem?.status ?? 0
  }
}

function faultsOf ({ errors }: Problem): string {
  return errors ? ` ${errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ')}` : ''
}

interface Session {
  user_id: number
  /** By `Date.now()`; half of its life is over then. */
  renewAt: number
}

/** undefined: not known yet; null: none, log in */
export const session = signal<Session | null | undefined>(undefined)

let renewing: Promise<void> | null = null

function begin ({ user_id, expires_in }: ConsoleSession): void {
  session.value = { user_id, renewAt: Date.now() + expires_in * 500 }
}

/** Goes on with the session that the browser has, if it has one. @throws Refused */
export async function resume (): Promise<void> {
  const known = await send<ConsoleSession | undefined>('GET', 'console/session')
  if (known) begin(known)
  else session.value = null
}

/** @throws Refused */
export async function logIn (nick_name: string, password: string): Promise<void> {
  begin(await send<ConsoleSession>('POST', 'console/session', { nick_name, password }))
}

/** @throws Refused */
export async function signOut (): Promise<void> {
  await send('DELETE', 'console/session')
  session.value = null
}

export interface More { headers?: Record<string, string>, signal?: AbortSignal }

/** @param path relative to the service, with its query @throws Refused; an AbortError */
export async function ask<T> (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object, more: More = {}): Promise<T> {
  const own = session.value
  if (own && Date.now() > own.renewAt) await (renewing ??= renew().finally(() => { renewing = null }))
  try {
    return await send<T>(method, path, body, more)
  } catch (error) {
    if (error instanceof Refused && error.status === 401) session.value = null
    throw error
  }
}

/** What cannot be renewed now is tried again with the next request, as long as it is good. */
async function renew (): Promise<void> {
  try {
    begin(await send<ConsoleSession>('POST', 'console/session/renew'))
  } catch (error) {
    if (error instanceof Refused && error.status === 401) session.value = null
  }
}

async function send<T> (method: string, path: string, body?: object, { headers = {}, signal }: More = {}): Promise<T> {
  const response = await fetch(new URL(path, base), {
    method,
    credentials: 'same-origin',
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
    ...(signal && { signal })
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new Refused(null)
  })
  const text = await response.text()
  if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T
  throw new Refused(response.headers.get('content-type')?.startsWith('application/problem+json') === true ? JSON.parse(text) as Problem : null)
}

/** `{ a: 1, b: undefined, c: '' }` is `?a=1`. */
export function query (given: Record<string, string | number | boolean | undefined>): string {
  const known = Object.entries(given).filter(([, value]) => value !== undefined && value !== '')
  return known.length === 0 ? '' : `?${new URLSearchParams(known.map(([name, value]) => [name, String(value)])).toString()}`
}
