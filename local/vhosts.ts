import { runCommand } from './command.js'
import type { LocalService } from './service.js'

export type Rabbit = Pick<LocalService, 'url' | 'control'>

/** Bytes rather than a quoted string: nothing to escape for Erlang, nor for the shell Debian's wrapper goes through. */
function binary (text: string): string {
  return `<<${[...Buffer.from(text)].join(',')}>>`
}

/**
 * Runs one Erlang expression for each name, in one rabbitmqctl call (about 1 s whatever their number; a call for each
 * name took 1 s each). The node is asked first whether it is the one behind the URL: `rabbitmqctl` reaches whichever
 * node has the default name.
 */
async function forEachName (rabbit: Rabbit, names: readonly string[], body: (user: string) => string): Promise<boolean> {
  if (rabbit.url === null || rabbit.control === undefined) return false
  const { command, args, env, port } = rabbit.control
  const user = binary(decodeURIComponent(new URL(rabbit.url).username) || 'guest')
  const code = `case lists:keymember(${port}, 6, rabbit_networking:node_listeners(node())) of ` +
    `true -> lists:foreach(fun(V) -> ${body(user)} end, [${names.map(binary).join(',')}]), all_done; ` +
    'false -> another_node end.'
  const result = await runCommand(command, [...args, 'eval', code], { env, limitMs: 60_000 })
  return result.ok && result.stdout.trim().endsWith('all_done')
}

/**
 * Makes virtual hosts in which the URL's user may do everything; those that exist stay as they are.
 * False when no rabbitmqctl reaches the node of that URL, or it refused.
 */
export function createVirtualHosts (rabbit: Rabbit, names: readonly string[]): Promise<boolean> {
  return forEachName(rabbit, names, user =>
    `ok = rabbit_vhost:add(V, ${user}), ` +
    `ok = rabbit_auth_backend_internal:set_permissions(${user}, V, ${binary('.*')}, ${binary('.*')}, ${binary('.*')}, ${user})`)
}

/** Removes virtual hosts with all in them; those that do not exist are no error. False as above. */
export function deleteVirtualHosts (rabbit: Rabbit, names: readonly string[]): Promise<boolean> {
  return forEachName(rabbit, names, user => `catch rabbit_vhost:delete(V, ${user})`)
}
