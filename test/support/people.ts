import { randomInt, randomUUID } from 'node:crypto'
import type { Response } from 'light-my-request'
import { newCpf } from '../../testkit/cpf.js'
import type { App } from './apps.js'
import { eventually } from './eventually.js'
import { keepPerson, keepValue } from './personal-data.js'
import type { Place } from './place.js'

export const line = { item_description: 'Café especial ☕', item_quantity: 3, item_price: 1990 }

export interface Person {
  user_id: number
  nick_name: string
  password: string
  headers: { authorization: string }
}

/** Somebody new with a CPF of their own, logged in. */
export async function newcomer (api: App, given: Record<string, string> = {}): Promise<Person> {
  const person = { ...registration(), ...given }
  const registered = await api.inject({ method: 'POST', url: '/users', payload: person })
  if (registered.statusCode !== 201) throw new Error(registered.body)
  const { nick_name, password } = person
  return { user_id: registered.json<{ user_id: number }>().user_id, nick_name, password, headers: await logIn(api, nick_name, password) }
}

export async function newOperator (api: App, place: Place): Promise<Person> {
  const person = await newcomer(api)
  await place.pool.query('update users set role = $1 where user_id = $2', ['operator', person.user_id])
  return { ...person, headers: await logIn(api, person.nick_name, person.password) }
}

async function logIn (api: App, nick_name: string, password: string): Promise<{ authorization: string }> {
  const answer = await api.inject({ method: 'POST', url: '/auth/token', payload: { nick_name, password } })
  return { authorization: `Bearer ${answer.json<{ access_token: string }>().access_token}` }
}

/** Nobody else's: name, CPF, e-mail and telephone number are searched for in the logs. */
export function registration (): Record<'nick_name' | 'password' | 'full_name' | 'cpf' | 'email' | 'phone_number', string> {
  const nick_name = `n${randomUUID().slice(0, 18)}`
  const person = {
    nick_name,
    password: 'correct horse battery',
    full_name: 'Ana Conceição 🌺',
    cpf: newCpf(),
    email: `${nick_name}@example.com`,
    phone_number: newPhoneNumber()
  }
  keepValue('nick_name', nick_name)
  keepPerson(person)
  return person
}

export function newPhoneNumber (): string {
  return `+55 11 9${randomInt(1000, 10_000)}-${randomInt(1000, 10_000)}`
}

export async function place (api: App, { headers }: Person, order: object = line, more: Record<string, string> = {}): Promise<Response> {
  return await api.inject({ method: 'POST', url: '/orders', headers: { ...headers, ...more }, payload: order })
}

export interface Shown extends Record<string, unknown> { order_id: string, status: string, version: number, next_statuses: string[] }

/** An order of this person's, booked. */
export async function booked (api: App, person: Person, more: object = {}): Promise<Shown> {
  const { order_id } = (await place(api, person, { ...line, ...more })).json<Shown>()
  return await reads(api, person, order_id, 'confirmed')
}

/** Resolves with the order once it reads so. */
export async function reads (api: App, { headers }: Person, order_id: string, status: string, version?: number): Promise<Shown> {
  return await eventually(`${order_id} reads ${status}`, async () => {
    const order = (await api.inject({ url: `/orders/${order_id}`, headers })).json<Shown>()
    return order.status === status && (version === undefined || order.version === version) && order
  })
}

type Asked = [method: 'PATCH' | 'DELETE' | 'PUT' | 'GET', path: string, payload?: object]

/** One request about one order. */
export async function ask (api: App, { headers }: Person, [method, path, payload]: Asked, more: Record<string, string> = {}): Promise<Response> {
  return await api.inject({ method, url: `/orders/${path}`, headers: { ...headers, ...more }, ...(payload ? { payload } : {}) })
}

export const amend = (order_id: string, change: object): Asked => ['PATCH', order_id, change]
export const cancel = (order_id: string): Asked => ['DELETE', order_id]
export const move = (order_id: string, status: string): Asked => ['PUT', `${order_id}/status`, { status }]
export const events = (order_id: string, query = ''): Asked => ['GET', `${order_id}/events${query}`]
