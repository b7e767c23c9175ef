import { lookup, type LookupAddress, Resolver } from 'node:dns'
import { promisify } from 'node:util'

/** All addresses of a name. @throws Error with the code of the resolver */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>

const QUERY = { timeout: 2000, tries: 2 }
/** The name server knows no such name, or no address of it: the hosts file may. */
const UNKNOWN = new Set(['ENOTFOUND', 'ENODATA'])

const lookupAll = promisify(lookup)

/**
 * Asks name servers by c-ares, which takes no thread: the system's own look-up has four for the whole process, and names whose servers never answer
 * would hold all four. What no name server knows is looked up by the system after all, which reads the hosts file.
 */
export function systemResolve (): Resolve {
  const resolver = new Resolver(QUERY)
  const resolve4 = promisify(resolver.resolve4.bind(resolver) as (name: string, done: (error: Error | null, found: string[]) => void) => void)
  const resolve6 = promisify(resolver.resolve6.bind(resolver) as (name: string, done: (error: Error | null, found: string[]) => void) => void)
  return async (hostname) => {
    const answers = await Promise.allSettled([resolve4(hostname), resolve6(hostname)])
    const found = answers.flatMap((answer, at) => answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family: at === 0 ? 4 : 6 })) : [])
    if (found.length > 0) return found
    const reasons = answers.map((answer) => (answer as PromiseRejectedResult).reason as NodeJS.ErrnoException)
    const other = reasons.find(({ code }) => !UNKNOWN.has(code ?? ''))
    if (other) throw other
    return await lookupAll(hostname, { all: true, verbatim: true })
  }
}
