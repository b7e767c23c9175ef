import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

export interface ComposeService {
  image: string
  build?: string
  user?: string
  command?: string[]
  profiles?: string[]
  read_only?: boolean
  tmpfs?: string[]
  cap_drop?: string[]
  cap_add?: string[]
  security_opt?: string[]
  privileged?: boolean
  ports?: string[]
  networks?: string[]
  network_mode?: string
  volumes?: Array<string | { type: string, source: string, target: string, bind?: { create_host_path: boolean } }>
  environment?: Record<string, string | number>
}

export interface Compose {
  services: Record<string, ComposeService>
  networks: Record<string, { internal?: boolean } | null>
  volumes: Record<string, null>
}

/** The services that run a process of ours. */
export const OURS = ['api', 'worker', 'relay'] as const

export const COMPOSE_TEXT = readFileSync('docker-compose.yml', 'utf8')
export const compose = parse(COMPOSE_TEXT, { merge: true }) as Compose

/** A text of the file as a container gets it, which `values` fill; a demand that they do not meet is an error, as to Compose. */
export function filled (text: string | number, values: Record<string, string>): string {
  return String(text).replace(/(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_whole, name: string, sign: string | undefined, more: string | undefined) => {
    if (values[name]) return values[name]
    if (sign === '-') return more!
    throw new Error(`${name}: ${more}`)
  }).replaceAll('$$', '$')
}

export function environmentOf (service: string, values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(compose.services[service]?.environment ?? {}).map(([name, text]) => [name, filled(text, values)]))
}

/** NAME=value, as the script for secrets writes them. */
export function readEnvFile (file: string): Record<string, string> {
  return Object.fromEntries([...readFileSync(file, 'utf8').matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]))
}
