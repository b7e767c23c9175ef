/** A receiver of webhooks: answers 204 and counts. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

let calls = 0
const server = createServer((request, response) => {
  request.resume().once('end', () => {
    calls++
    response.writeHead(204).end()
  })
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
process.on('message', () => process.send?.({ calls }))
