import { askPort } from './ports.js'
import { until } from './processes.js'

const request = (letter: string) => Buffer.from([0, 1, letter.charCodeAt(0)])

/** The names of the Erlang nodes an epmd knows; null when what listens on this port is no epmd. */
async function nodesOf (port: number): Promise<string | null> {
  // it answers with its own port in four bytes, then the names as text, then closes the connection
  const answer = await askPort({ host: '127.0.0.1', port }, request('n'), bytes => bytes.length >= 4, 1000)
  return answer === null || answer.readUInt32BE(0) !== port ? null : answer.subarray(4).toString('latin1')
}

/**
 * Ends the port mapper our RabbitMQ started for itself: it outlives the node. Spoken over its own protocol because the
 * `epmd` command is not always on PATH. Leaves anything alone that is no epmd or still serves a node.
 */
export async function endEpmd (port: number): Promise<void> {
  // a node that was killed a moment ago is still listed until its connection has closed
  const empty = await until('epmd is in use', 2000, async () => {
    const names = await nodesOf(port)
    if (names === null) return 'absent'
    return names.trim() === '' ? 'idle' : false
  }).catch(() => 'in use')
  if (empty === 'idle') await askPort({ host: '127.0.0.1', port }, request('k'), bytes => bytes.length >= 2, 1000)
}
