import type { Socket } from 'node:net'
import type { ChannelModel } from 'amqplib'

/**
 * Has all that is written to a connection within one turn of the event loop leave in one system call. The client library writes
 * each message by itself, so that a window of 500 events was 500 calls here, and as many packets for the broker to read. It keeps
 * its socket in a property that its types do not name: where a release keeps it elsewhere, nothing is lost but this.
 */
export function writeTogether ({ connection }: ChannelModel): void {
  const { stream } = connection as unknown as { stream?: Socket }
  if (typeof stream?.cork !== 'function') return
  const write = stream.write.bind(stream) as (...given: unknown[]) => boolean
  let gathering = false
  const flush = () => {
    gathering = false
    stream.uncork()
  }
  stream.write = (...given: unknown[]): boolean => {
    if (!gathering) {
      gathering = true
      stream.cork()
      process.nextTick(flush)
    }
    return write(...given)
  }
}
