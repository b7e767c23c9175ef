import { askPort, isFree } from './ports.js'
import { until } from './processes.js'

const request = (letter: string) => Buffer.from([0, 1, letter.charCodeAt(0)])

/** The names of the Erlang nodes an epmd knows; null when what listens on this port is no epmd. */
async function nodesOf (port: number): Promise<string | null> {
  // it answers with its own port in four bytes, then the names as text, then closes the connection
  const answer = await askPort({ host: '127.0.0.1', port }, request('n'), bytes => bytes.length >= 4, 1000)
  return answer === null || answer.readUInt32BE(0) !== port ? null : answer.subarray(4).toString('latin1')
}

/**
 * Ends the port mapper our RabbitMQ started for itself: it outlives the node. Resolves when nothing listens any more:
 * epmd answers that it will go before it has gone. Spoken over its own protocol because the `epmd` command is not
 * always on PATH. Leaves anything alone that is no epmd or, 2 s later, still serves a node.
 */
export async function endEpmd (port: number): Promise<void> {
  await until('the port mapper goes on', 2000, async () => {
    if (await isFree(port)) return true
    // a node that was killed a moment ago is still listed until its connection has closed
    if ((await nodesOf(port))?.trim() === '') await askPort({ host: '127.0.0.1', port }, request('k'), bytes => bytes.length >= 2, 1000)
    return false
  }).catch(() => {})
}
